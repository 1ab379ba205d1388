/** A larger budget must be faster by this factor: what it costs is that a query waits longer behind a batch. */
const WORTH = 1.05;
/** Longest batch chosen freely, ms; a device too slow for it gets the least budget. */
const LONGEST_BATCH_MS = 500;
const MOST_TOKENS = 65_536;

/**
 * Finds the smallest token budget that a device is about as fast with as with any: doubles it while that pays.
 *
 * @param least padded tokens that a batch must have room for
 * @param measure the time of a batch of about so many tokens, ms
 */
export async function findTokenBudget(least: number, measure: (tokens: number) => Promise<number>): Promise<number> {
  let budget = least;
  let ms = await measure(budget);
  while (2 * budget <= MOST_TOKENS && 2 * ms <= LONGEST_BATCH_MS) {
    const nextMs = await measure(2 * budget);
    if (2 * ms < WORTH * nextMs) break;
    budget *= 2;
    ms = nextMs;
  }
  return budget;
}
