import type { Plan } from '../planning/planner.js';

/** UTF-8 bytes per token: OpenAI's rule of thumb for English; it is too low for most other scripts. */
const TOKEN_BYTES = 4;

/** Estimated tokens of all inputs, without tokenising them: each input counts as 1 to `maxTokens`. */
export function estimateTokens(
  { card: { maxTokens }, operation }: Pick<Plan, 'card' | 'operation'>,
  inputs: readonly unknown[],
): number {
  const estimate = (input: unknown) => Math.max(1, Math.ceil(operation.bytes(input) / TOKEN_BYTES));
  return inputs.reduce<number>((sum, input) => sum + Math.min(maxTokens, estimate(input)), 0);
}
