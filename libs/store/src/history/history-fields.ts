import type { Lane } from '#contracts';
import { waitBucket } from './wait-buckets.js';

/**
 * What is counted of a model in each step of history; every count is a sum over all processes.
 * `texts`, `tokens`, `padded`: computed by workers. `hits`, `misses`: cache lookups of API processes, in texts.
 * `failed`: texts. `faults`: requests answered with 5xx; under the model `''` those that name none.
 * `waiting`: texts of waiting requests x ms. `samples`: times the queue was looked at, and the sums of what was seen:
 * `tasks.<lane>`, and `jobs.<lane>`, unfinished texts of jobs. `w<bucket>`: requests that waited so long.
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

/** Counts of one model in one step, or in several that were added up. */
export type HistoryCounts = ReadonlyMap<HistoryName, number>;

export function waitName(seconds: number): HistoryName {
  return `w${waitBucket(seconds)}`;
}

/** Requests that waited, by bucket. */
export function waitsOf(counts: HistoryCounts): Map<number, number> {
  const waits = new Map<number, number>();
  for (const [name, count] of counts) if (/^w\d+$/.test(name)) waits.set(Number(name.slice(1)), count);
  return waits;
}

/** Model names may hold slashes, the names of counts hold none. */
export function historyField(model: string, name: HistoryName): string {
  return `${model}/${name}`;
}

/** Model -> counts of a step's hash. */
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
