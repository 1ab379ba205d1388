import { METRICS } from '#contracts';
import { readMetric } from '../../test/support/metrics.js';
import { until } from '../../test/support/until.js';

/** Number of micro-batches that a worker has run so far, and their time on the device. */
export interface Batches {
  readonly count: number;
  readonly seconds: number;
}

/** @param url the worker's URL */
export async function readBatches(url: string): Promise<Batches> {
  const [count, seconds] = await Promise.all([
    readMetric(url, `${METRICS.workerBatchSeconds}_count`),
    readMetric(url, `${METRICS.workerBatchSeconds}_sum`),
  ]);
  return { count, seconds };
}

/** Resolves when the worker has run at least two more batches. */
export async function untilComputing(url: string): Promise<void> {
  const { count } = await readBatches(url);
  await until('the worker computes', async () => (await readBatches(url)).count > count + 1);
}
