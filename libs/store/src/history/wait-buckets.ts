/**
 * Wait times are counted in buckets whose bounds grow by the fourth root of 2, from 0.5 ms to about two minutes. The
 * counts of several processes can be added, and a percentile is off by at most a tenth.
 */
const LEAST_SECONDS = 0.0005;
const GROWTH = 2 ** 0.25;
const LAST_BUCKET = 71;

/** The bucket of a wait time. */
export function waitBucket(seconds: number): number {
  if (seconds <= LEAST_SECONDS) return 0;
  return Math.min(LAST_BUCKET, Math.ceil(Math.log(seconds / LEAST_SECONDS) / Math.log(GROWTH)));
}

/**
 * Percentile of the counted wait times, s: the geometric middle of its bucket.
 * @param counts number of wait times by bucket
 * @param share 0..1; 0.95 for the 95th percentile
 * @returns null when nothing was counted
 */
export function waitPercentile(counts: ReadonlyMap<number, number>, share: number): number | null {
  const buckets = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  for (const [bucket, count] of buckets) {
    below += count;
    if (below >= share * total) return LEAST_SECONDS * GROWTH ** (bucket - 0.5);
  }
  return null;
}
