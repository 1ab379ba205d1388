/** What was recorded of one model in one stretch of time. */
export interface LoadSample {
  readonly seconds: number;
  /** Texts accepted and not finished, mean of the stretch; null: not known. */
  readonly unfinished: number | null;
  /** Texts that workers computed in the stretch; null: not known. */
  readonly finished: number | null;
}

/** Two rates whose comparison says whether a backlog grows. */
export interface Load {
  /**
   * Texts/s that keep arriving: the median over overlapping intervals of two steps, so that one batch, which shows in few
   * of them, does not count. Null while too little of the window is known.
   */
  readonly arrivalRate: number | null;
  /** Texts/s that workers finish while there is more to do than they finish; null when there was no such time lately. */
  readonly serviceRate: number | null;
}

type Known = LoadSample & { readonly unfinished: number; readonly finished: number };

/** Known intervals that a median needs: a batch shows in up to three of them. */
const LEAST_INTERVALS = 7;

/**
 * @param window steps of equal length, oldest first
 * @param recent short samples of about the last minute
 */
export function loadOf(window: readonly LoadSample[], recent: readonly LoadSample[]): Load {
  return { arrivalRate: arrivalRateOf(window), serviceRate: serviceRateOf(recent) };
}

/** From the middle of a step to that of the second next, as much arrived as was finished and unfinished texts grew. */
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
 * Only samples with at least as much unfinished as finished count: otherwise workers ran out of work, not of speed. What
 * comes before the first text that was finished is the time before a worker started.
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
