import type { Plan } from '../planning/planner.js';

/** Bytes of UTF-8 that are a token, about: OpenAI's rule of thumb for English, and low for most other scripts. */
const TOKEN_BYTES = 4;

/** Tokens that inputs may have, before anybody has counted them. */
export function estimateTokens(
  { card: { maxTokens }, operation }: Pick<Plan, 'card' | 'operation'>,
  inputs: readonly unknown[],
): number {
  const estimate = (input: unknown) => Math.max(1, Math.ceil(operation.bytes(input) / TOKEN_BYTES));
  return inputs.reduce<number>((sum, input) => sum + Math.min(maxTokens, estimate(input)), 0);
}
