/** What was recorded of one model in one period. */
export interface LoadSample {
  readonly seconds: number;
  /** Texts accepted and not finished, mean over the period; null: unknown. */
  readonly unfinished: number | null;
  /** Texts that workers computed in the period; null: unknown. */
  readonly finished: number | null;
}

/** Two rates whose comparison shows whether a backlog grows. */
export interface Load {
  /**
   * Arrival rate, texts/s: the median over overlapping intervals of two steps, so that a single batch, which affects
   * few of them, has no influence. Null while too little of the window is known.
   */
  readonly arrivalRate: number | null;
  /** Texts/s that workers finish while they have enough work; null without such a time in the last minute. */
  readonly serviceRate: number | null;
}

type Known = LoadSample & { readonly unfinished: number; readonly finished: number };

/** Known intervals that a median needs: a single batch affects up to three of them. */
const LEAST_INTERVALS = 7;

/**
 * Computes arrival and service rate from recorded samples.
 * @param window steps of equal length, oldest first
 * @param recent short samples of about the last minute
 */
export function loadOf(window: readonly LoadSample[], recent: readonly LoadSample[]): Load {
  return { arrivalRate: arrivalRateOf(window), serviceRate: serviceRateOf(recent) };
}

/**
 * Between the middles of steps `i - 2` and `i`, arrivals are the finished texts plus the growth of unfinished texts.
 */
function arrivalRateOf(window: readonly LoadSample[]): number | null {
  const rates: number[] = [];
  for (const [i, last] of window.entries()) {
    const [first, middle] = [window[i - 2], window[i - 1]];
    if (!isKnown(first) || !isKnown(middle) || !isKnown(last)) continue;
    const finished = first.finished / 2 + middle.finished + last.finished / 2;
    const arrived = finished + last.unfinished - first.unfinished;
    rates.push(Math.max(0, arrived) / (2 * middle.seconds));
  }
  return rates.length < LEAST_INTERVALS ? null : median(rates);
}

function isKnown(sample: LoadSample | undefined): sample is Known {
  return sample !== undefined && sample.unfinished !== null && sample.finished !== null;
}

/**
 * Counts only samples with at least as many unfinished as finished texts: in others, workers lacked work. Samples
 * before the first finished text are skipped, since no worker may have been running then.
 */
function serviceRateOf(recent: readonly LoadSample[]): number | null {
  const busy = recent
    .slice(recent.findIndex((sample) => isKnown(sample) && sample.finished > 0))
    .filter(isKnown)
    .filter(({ finished, unfinished }) => unfinished > 0 && unfinished >= finished);
  const finished = busy.reduce((sum, sample) => sum + sample.finished, 0);
  const seconds = busy.reduce((sum, sample) => sum + sample.seconds, 0);
  return finished === 0 ? null : finished / seconds;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
