/** A doubled budget must raise throughput by this factor, because it makes queries wait longer behind a batch. */
const MIN_SPEEDUP = 1.05;
/** Longest batch that the search may choose, ms; a device that is too slow for it gets the smallest budget. */
const LONGEST_BATCH_MS = 500;
const MOST_TOKENS = 65_536;

/**
 * Finds the smallest token budget with which a device is about as fast as with any: doubles it as long as that pays.
 * @param least smallest budget allowed, padded tokens
 * @param measure returns the time of a batch of about this many tokens, ms
 * @param most largest budget that may be tried, padded tokens; at least `least`
 * @returns padded tokens
 */
export async function findTokenBudget(
  least: number,
  measure: (tokens: number) => Promise<number>,
  most = MOST_TOKENS,
): Promise<number> {
  let budget = least;
  let ms = await measure(budget);
  while (2 * budget <= Math.min(most, MOST_TOKENS) && 2 * ms <= LONGEST_BATCH_MS) {
    const nextMs = await measure(2 * budget);
    if (2 * ms < MIN_SPEEDUP * nextMs) break;
    budget *= 2;
    ms = nextMs;
  }
  return budget;
}
