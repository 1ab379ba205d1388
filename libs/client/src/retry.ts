import { EmbedmillApiError, EmbedmillConnectionError, type EmbedmillError } from './errors.js';

/** How long a request that fails for a passing reason is sent again. */
export interface RetryPolicy {
  /**
   * While nothing answers, or the service, or a gateway in front of it, answers 500, 502, 503 or 504, ms. 0: not at all.
   * Default 30,000.
   */
  readonly patienceMs?: number;
  /** While the service answers 429, ms: it is there, and only busy. Default: as `patienceMs`. */
  readonly busyPatienceMs?: number;
  /** Called with the reason before a request waits to be sent again, and with null when it has succeeded after all. */
  readonly onWait?: (reason: EmbedmillError | null) => void;
}

/**
 * Which failures a request survives. `always`: any passing one, since sending it twice does no harm. `refused`: 429 and
 * 503, which say that nothing was done; not a broken connection, behind which the request may have been carried out.
 * `never`: its body cannot be made again.
 */
export type Repeat = 'always' | 'refused' | 'never';

const DEFAULT_PATIENCE_MS = 30_000;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
const REFUSALS: readonly number[] = [429, 503];
/** 500 and 502 may come from a gateway, too. */
const PASSING: readonly number[] = [429, 500, 502, 503, 504];
/** A text that cannot be embedded will not be embedded the next time either. */
const LASTING: readonly string[] = ['inference_failed', 'task_failed'];

/** Whether an error is worth sending the request again. */
export function mayPass(error: unknown, repeat: Repeat): error is EmbedmillApiError | EmbedmillConnectionError {
  if (repeat === 'never') return false;
  if (error instanceof EmbedmillConnectionError) return repeat === 'always';
  if (!(error instanceof EmbedmillApiError) || LASTING.includes(error.code)) return false;
  return (repeat === 'always' ? PASSING : REFUSALS).includes(error.status);
}

/** Counts the time for which one request has been failing. */
export class Patience {
  readonly #limits: { readonly failing: number; readonly busy: number };
  #kind: 'failing' | 'busy' | null = null;
  #since = 0;
  #attempts = 0;

  constructor({ patienceMs = DEFAULT_PATIENCE_MS, busyPatienceMs = patienceMs }: RetryPolicy) {
    this.#limits = { failing: patienceMs, busy: busyPatienceMs };
  }

  /**
   * @param now ms, by any clock that does not go back
   * @param random 0..1: pauses of clients that failed together must not end together
   * @returns ms to wait before the next attempt: as long as `Retry-After` says, and doubling from attempt to attempt; null
   *   when that would be longer than the patience lasts
   */
  pauseAfter(error: EmbedmillApiError | EmbedmillConnectionError, now: number, random = Math.random()): number | null {
    const kind = error instanceof EmbedmillApiError && error.status === 429 ? 'busy' : 'failing';
    // A service that is busy lives: what failed before is over, and the other way round.
    if (kind !== this.#kind) [this.#kind, this.#since] = [kind, now];
    const backoffMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#attempts++, LONGEST_PAUSE_MS) * (0.75 + random / 4);
    const askedMs = error instanceof EmbedmillApiError ? (error.retryAfterMs ?? 0) : 0;
    const pauseMs = Math.max(askedMs, backoffMs);
    return now - this.#since + pauseMs > this.#limits[kind] ? null : pauseMs;
  }
}
