import type { History, HistorySeries, ModelView, Snapshot } from '#contracts';

/** Steps without a snapshot after which a line is interrupted. */
const GAP_STEPS = 2.5;

/** Data of the charts: the loaded history, followed by live snapshots. Errors are per minute. */
export interface Timeline {
  readonly stepSeconds: number;
  /** Width of the window, s. */
  readonly spanSeconds: number;
  readonly times: readonly number[];
  readonly models: Readonly<Record<string, HistorySeries>>;
}

export function timelineOf(history: History, steps: number): Timeline {
  const models = Object.fromEntries(
    Object.entries(history.models).map(([name, series]) => [
      name,
      { ...series, errors: perMinute(series.errors, history.step_seconds) },
    ]),
  );
  return { stepSeconds: history.step_seconds, spanSeconds: history.step_seconds * steps, times: history.times, models };
}

/**
 * Adds a snapshot, and drops points that have left the window. After a gap, adds an empty point first, so that no line
 * is drawn across a time without data.
 */
export function withSnapshot(timeline: Timeline, snapshot: Snapshot): Timeline {
  const { times, models, stepSeconds, spanSeconds } = timeline;
  const last = times.at(-1);
  if (last !== undefined && snapshot.at <= last) return timeline;
  const gap = last !== undefined && snapshot.at - last > GAP_STEPS * stepSeconds;
  const added = gap ? [last + stepSeconds, snapshot.at] : [snapshot.at];
  const from = firstAfter(times, snapshot.at - spanSeconds);

  const names = new Set([...Object.keys(models), ...snapshot.models.map(({ name }) => name)]);
  const views = new Map(snapshot.models.map((view) => [view.name, view]));
  return {
    stepSeconds,
    spanSeconds,
    times: [...times.slice(from), ...added],
    models: Object.fromEntries(
      [...names].map((name) => [name, grown(models[name] ?? unknown(times.length), from, gap, views.get(name))]),
    ),
  };
}

/**
 * Converts counts per step to counts per minute. Short steps: the sum over the minute that ends with the step, so that
 * one error counts as one per minute and not as thirty. Steps of more than a minute: the mean.
 */
function perMinute(counts: readonly (number | null)[], stepSeconds: number): (number | null)[] {
  const steps = Math.max(1, Math.round(60 / stepSeconds));
  const scale = 60 / (steps * stepSeconds);
  return counts.map((now, i) => {
    if (now === null) return null;
    const minute = counts.slice(Math.max(0, i + 1 - steps), i + 1);
    return scale * minute.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  });
}

/** Largest value of a series; null when all of it is unknown. */
export function peak(series: readonly (number | null)[]): number | null {
  return series.reduce((most, value) => (value === null || (most !== null && most >= value) ? most : value), null);
}

function grown(series: HistorySeries, from: number, gap: boolean, view: ModelView | undefined): HistorySeries {
  const column = (values: readonly (number | null)[], value: number | null | undefined) => [
    ...values.slice(from),
    ...(gap ? [null] : []),
    value ?? null,
  ];
  const lanes = view?.lanes;
  const tasks = (lane: 'interactive' | 'bulk') =>
    lanes && lanes[lane].waiting + lanes[lane].delayed + lanes[lane].active;
  return {
    tasks: {
      interactive: column(series.tasks.interactive, tasks('interactive')),
      bulk: column(series.tasks.bulk, tasks('bulk')),
    },
    texts: {
      interactive: column(series.texts.interactive, lanes?.interactive.texts),
      bulk: column(series.texts.bulk, lanes?.bulk.texts),
    },
    backlog_seconds: {
      interactive: column(series.backlog_seconds.interactive, lanes?.interactive.backlog_seconds),
      bulk: column(series.backlog_seconds.bulk, lanes?.bulk.backlog_seconds),
    },
    texts_per_second: column(series.texts_per_second, view?.texts_per_second),
    tokens_per_second: column(series.tokens_per_second, view?.tokens_per_second),
    cache_hit_ratio: column(series.cache_hit_ratio, view?.cache_hit_ratio),
    wait_p50_seconds: column(series.wait_p50_seconds, view?.wait_seconds?.p50),
    wait_p95_seconds: column(series.wait_p95_seconds, view?.wait_seconds?.p95),
    wait_p99_seconds: column(series.wait_p99_seconds, view?.wait_seconds?.p99),
    fill: column(series.fill, view?.fill),
    errors: column(series.errors, view?.errors_per_minute),
  };
}

/** Empty columns for a model without history. */
function unknown(length: number): HistorySeries {
  const column = () => Array.from({ length }, () => null);
  const lanes = () => ({ interactive: column(), bulk: column() });
  return {
    tasks: lanes(),
    texts: lanes(),
    backlog_seconds: lanes(),
    texts_per_second: column(),
    tokens_per_second: column(),
    cache_hit_ratio: column(),
    wait_p50_seconds: column(),
    wait_p95_seconds: column(),
    wait_p99_seconds: column(),
    fill: column(),
    errors: column(),
  };
}

function firstAfter(times: readonly number[], time: number): number {
  const found = times.findIndex((at) => at > time);
  return found < 0 ? times.length : found;
}
