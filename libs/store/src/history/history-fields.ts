import type { Lane } from '#contracts';
import { waitBucket } from './wait-buckets.js';

/**
 * What is counted for a model in each step of history; every count is a sum over all processes.
 * `texts`, `tokens`, `padded`: texts, tokens and padded tokens computed by workers. `hits`, `misses`: cache lookups of
 * API processes, in texts. `failed`: failed texts. `faults`: requests answered with 5xx; those that name no model are
 * counted under the model `''`. `waiting`: texts of waiting requests x ms. `samples`: number of samples of queue depth;
 * `tasks.<lane>` and `jobs.<lane>`: sums over the samples of tasks, and of unfinished texts of jobs. `w<bucket>`:
 * requests whose wait time falls in the bucket.
 */
export type HistoryName =
  | 'texts'
  | 'tokens'
  | 'padded'
  | 'hits'
  | 'misses'
  | 'failed'
  | 'faults'
  | 'waiting'
  | 'samples'
  | `tasks.${Lane}`
  | `jobs.${Lane}`
  | `w${number}`;

/** Counts of one model in one step, or summed over several steps. */
export type HistoryCounts = ReadonlyMap<HistoryName, number>;

export function waitName(seconds: number): HistoryName {
  return `w${waitBucket(seconds)}`;
}

/** Number of requests by bucket of their wait time. */
export function waitsOf(counts: HistoryCounts): Map<number, number> {
  const waits = new Map<number, number>();
  for (const [name, count] of counts) if (/^w\d+$/.test(name)) waits.set(Number(name.slice(1)), count);
  return waits;
}

/** Hash field of a count: `<model>/<name>`. Model names may contain slashes, names of counts do not. */
export function historyField(model: string, name: HistoryName): string {
  return `${model}/${name}`;
}

/** Parses a step's hash: model -> counts. */
export function readHistoryFields(fields: Readonly<Record<string, string>>): Map<string, Map<HistoryName, number>> {
  const models = new Map<string, Map<HistoryName, number>>();
  for (const [field, value] of Object.entries(fields)) {
    const cut = field.lastIndexOf('/');
    if (cut < 0) continue;
    const model = field.slice(0, cut);
    let counts = models.get(model);
    if (counts === undefined) models.set(model, (counts = new Map()));
    counts.set(field.slice(cut + 1) as HistoryName, Number(value));
  }
  return models;
}
