import type { AttentionBudget } from '#model';
import { rowsWithin } from '../batching/rows-within.js';
import type { DeviceSpeed } from './device-messages.js';
import type { OnnxSession } from './onnx-session.js';
import { findTokenBudget } from './token-budget.js';

/** Maximum tokens of a warm-up row. */
const ROW_TOKENS = 16;
/** Tokens per row when measuring the token budget: the length of a typical text. */
const USUAL_TOKENS = 64;
/** Smallest token budget tried: no device is faster with less. */
const LEAST_BUDGET = 256;
/** The search begins with no more than this, however long the model's texts: a slow device would take minutes. */
const MOST_TRIED_FIRST = 8192;
/** Approximate upper limit on the time of the largest batch tried, ms. */
const LARGE_BATCH_MS = 250;
const REPEATS = 3;

export interface WarmUpLimits {
  /** Longest text of the model. */
  readonly maxTokens: number;
  /** null: finds the budget that suits the device. */
  readonly tokenBudget: number | null;
  /** Memory of attention. */
  readonly attention: AttentionBudget | undefined;
}

/**
 * Warms up a session, whose first runs are slow, with batches from one row up to the budget, and fits the cost of a
 * batch as `overhead + tokens` to the best times of the smallest and the largest batch.
 * @throws Error when the model computes values that are not finite
 */
export async function warmUp(
  session: OnnxSession,
  { attention, maxTokens, tokenBudget: given }: WarmUpLimits,
): Promise<DeviceSpeed> {
  const usual = Math.min(USUAL_TOKENS, maxTokens);
  const tokenBudget = given ?? Math.max(maxTokens, await findBudget());
  const tokens = Math.min(ROW_TOKENS, maxTokens);
  const fullBatch = Math.min(tokenBudget, tokens * rowsWithin(attention, tokens));
  let rows = 1;
  await time(1, tokens);
  let ms = await time(1, tokens);
  while (4 * rows * tokens <= fullBatch && 4 * ms <= LARGE_BATCH_MS) {
    rows *= 4;
    ms = await time(rows, tokens);
  }
  let smallMs = Infinity;
  let largeMs = ms;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    smallMs = Math.min(smallMs, await time(1, tokens));
    largeMs = Math.min(largeMs, await time(rows, tokens));
  }
  const tokensPerSecond = (rows * tokens * 1000) / largeMs;
  if (rows === 1) return { tokenBudget, tokensPerSecond, overheadTokens: 0 };
  const msPerToken = Math.max(0, largeMs - smallMs) / ((rows - 1) * tokens);
  const overheadTokens = msPerToken === 0 ? 0 : Math.max(0, smallMs / msPerToken - tokens);
  return { tokenBudget, tokensPerSecond, overheadTokens };

  function findBudget(): Promise<number> {
    const most = usual * rowsWithin(attention, usual);
    const least = Math.min(Math.max(LEAST_BUDGET, maxTokens), MOST_TRIED_FIRST, most);
    return findTokenBudget(least, (budget) => best(Math.ceil(budget / usual), usual), most);
  }

  async function best(batchRows: number, rowTokens: number): Promise<number> {
    await time(batchRows, rowTokens);
    return Math.min(await time(batchRows, rowTokens), await time(batchRows, rowTokens));
  }

  async function time(batchRows: number, rowTokens: number): Promise<number> {
    const ids = new Int32Array(batchRows * rowTokens);
    const lengths = new Int32Array(batchRows).fill(rowTokens);
    const began = performance.now();
    const values = await session.run({ rows: batchRows, tokens: rowTokens, ids, types: null, lengths });
    const took = performance.now() - began;
    if (!values.every(Number.isFinite)) throw new Error('the model gives numbers that are not finite');
    return took;
  }
}
