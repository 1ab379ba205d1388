import { type HistorySeries, type Lane, LANES } from '#contracts';
import { type HistoryCounts, type HistoryName, waitPercentile, waitsOf } from '#store';
import { backlogSeconds } from '../operation/fleet.js';
import type { LoadSample } from '../operation/load.js';

/** Counts of one model over a period, and those of requests that named no model. */
export interface Stretch {
  readonly seconds: number;
  /** null: nothing was recorded in the period, for any model. */
  readonly counts: HistoryCounts | null;
  readonly nameless: HistoryCounts;
}

type Columns = Omit<HistorySeries, 'tasks' | 'texts' | 'backlog_seconds'>;

/** Measures computed from the counts of a period: one row of a `HistorySeries`; null: unknown. */
export type Measures = Readonly<
  Record<keyof Columns, number | null> &
    Record<'tasks' | 'texts' | 'backlog_seconds', Readonly<Record<Lane, number | null>>>
>;

export function measure({ seconds, counts, nameless }: Stretch): Measures {
  if (counts === null) return NOTHING_KNOWN;
  const count = (name: HistoryName) => counts.get(name) ?? 0;
  const samples = count('samples');
  const rate = count('texts') / seconds;
  const perLane = <T>(of: (lane: Lane) => T) => ({ interactive: of('interactive'), bulk: of('bulk') });
  const texts = perLane((lane) => unfinishedTexts(counts, seconds, lane));
  const waits = waitsOf(counts);
  return {
    tasks: perLane((lane) => (samples === 0 ? null : count(`tasks.${lane}`) / samples)),
    texts,
    backlog_seconds: perLane((lane) => (texts[lane] === null ? null : backlogSeconds(texts[lane], rate))),
    texts_per_second: rate,
    tokens_per_second: count('tokens') / seconds,
    cache_hit_ratio: ratio(count('hits'), count('hits') + count('misses')),
    wait_p50_seconds: waitPercentile(waits, 0.5),
    wait_p95_seconds: waitPercentile(waits, 0.95),
    wait_p99_seconds: waitPercentile(waits, 0.99),
    fill: ratio(count('tokens'), count('padded')),
    // A failed request that named no model counts against every model.
    errors: count('failed') + count('faults') + (nameless.get('faults') ?? 0),
  };
}

/** The measures that the verdict on a model uses. */
export function loadSample({ seconds, counts }: Pick<Stretch, 'seconds' | 'counts'>): LoadSample {
  if (counts === null) return { seconds, unfinished: null, finished: null };
  const interactive = unfinishedTexts(counts, seconds, 'interactive');
  const bulk = unfinishedTexts(counts, seconds, 'bulk');
  return {
    seconds,
    unfinished: interactive === null || bulk === null ? null : interactive + bulk,
    finished: counts.get('texts') ?? 0,
  };
}

/** Mean over the period; null when the queue was not sampled. */
function unfinishedTexts(counts: HistoryCounts, seconds: number, lane: Lane): number | null {
  const samples = counts.get('samples') ?? 0;
  const waiting = lane === 'interactive' ? (counts.get('waiting') ?? 0) / 1000 / seconds : 0;
  return samples === 0 ? null : (counts.get(`jobs.${lane}`) ?? 0) / samples + waiting;
}

/** Transposes rows into columns. */
export function seriesOf(rows: readonly Measures[]): HistorySeries {
  const perLane = (name: 'tasks' | 'texts' | 'backlog_seconds') =>
    Object.fromEntries(LANES.map((lane) => [lane, rows.map((row) => rounded(row[name][lane]))])) as Record<
      Lane,
      (number | null)[]
    >;
  const column = (name: keyof Columns) => rows.map((row) => rounded(row[name]));
  return {
    tasks: perLane('tasks'),
    texts: perLane('texts'),
    backlog_seconds: perLane('backlog_seconds'),
    texts_per_second: column('texts_per_second'),
    tokens_per_second: column('tokens_per_second'),
    cache_hit_ratio: column('cache_hit_ratio'),
    wait_p50_seconds: column('wait_p50_seconds'),
    wait_p95_seconds: column('wait_p95_seconds'),
    wait_p99_seconds: column('wait_p99_seconds'),
    fill: column('fill'),
    errors: column('errors'),
  };
}

/** Sums the counts of several periods; null when none of them was recorded. */
export function addUp(all: readonly (HistoryCounts | null)[]): HistoryCounts | null {
  const known = all.filter((counts) => counts !== null);
  if (known.length === 0) return null;
  const sums = new Map<HistoryName, number>();
  for (const counts of known) for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}

const unknownLanes = { interactive: null, bulk: null };
const NOTHING_KNOWN: Measures = {
  tasks: unknownLanes,
  texts: unknownLanes,
  backlog_seconds: unknownLanes,
  texts_per_second: null,
  tokens_per_second: null,
  cache_hit_ratio: null,
  wait_p50_seconds: null,
  wait_p95_seconds: null,
  wait_p99_seconds: null,
  fill: null,
  errors: null,
};

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** Five significant digits, to keep responses small: a client fetches hundreds of points every few seconds. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(5));
}
