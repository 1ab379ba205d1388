import { EmbedmillApiError, EmbedmillConnectionError, type EmbedmillError } from './errors.js';

/** How long a request is retried after transient failures. */
export interface RetryPolicy {
  /**
   * How long to retry while there is no response, or the service or a gateway in front of it responds with 500, 502,
   * 503 or 504, ms. 0: no retries. Default 30,000.
   */
  readonly patienceMs?: number;
  /** How long to retry while the service responds with 429, that is, is only busy, ms. Default: `patienceMs`. */
  readonly busyPatienceMs?: number;
  /** Called with the reason before each wait for a retry, and with null when the request has then succeeded. */
  readonly onWait?: (reason: EmbedmillError | null) => void;
}

/**
 * After which failures a request is retried. `always`: after any transient one, since a repetition does no harm.
 * `refused`: after 429 and 503, which mean that nothing was done, but not after a broken connection, since the request
 * may have been executed. `never`: its body cannot be produced again.
 */
export type Repeat = 'always' | 'refused' | 'never';

const DEFAULT_PATIENCE_MS = 30_000;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
const REFUSALS: readonly number[] = [429, 503];
/** Statuses of transient failures; 500 and 502 may come from a gateway. */
const PASSING: readonly number[] = [429, 500, 502, 503, 504];
/** Codes that are never retried: a text that cannot be embedded fails again. */
const LASTING: readonly string[] = ['inference_failed', 'task_failed'];

/** Whether the request should be retried after an error. */
export function mayPass(error: unknown, repeat: Repeat): error is EmbedmillApiError | EmbedmillConnectionError {
  if (repeat === 'never') return false;
  if (error instanceof EmbedmillConnectionError) return repeat === 'always';
  if (!(error instanceof EmbedmillApiError) || LASTING.includes(error.code)) return false;
  return (repeat === 'always' ? PASSING : REFUSALS).includes(error.status);
}

/** Measures how long one request has been failing, and computes the pauses between its attempts. */
export class Patience {
  readonly #limits: { readonly failing: number; readonly busy: number };
  #kind: 'failing' | 'busy' | null = null;
  #since = 0;
  #attempts = 0;

  constructor({ patienceMs = DEFAULT_PATIENCE_MS, busyPatienceMs = patienceMs }: RetryPolicy) {
    this.#limits = { failing: patienceMs, busy: busyPatienceMs };
  }

  /**
   * @param now ms of a monotonic clock
   * @param random jitter, 0..1: clients that failed at the same time must not retry at the same time
   * @returns pause before the next attempt, ms: exponential backoff, but at least `Retry-After`; null when it would
   *   exceed the time for retries
   */
  pauseAfter(error: EmbedmillApiError | EmbedmillConnectionError, now: number, random = Math.random()): number | null {
    const kind = error instanceof EmbedmillApiError && error.status === 429 ? 'busy' : 'failing';
    // The times of the two kinds are counted separately: a busy service is available again, and vice versa.
    if (kind !== this.#kind) [this.#kind, this.#since] = [kind, now];
    const backoffMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#attempts++, LONGEST_PAUSE_MS) * (0.75 + random / 4);
    const askedMs = error instanceof EmbedmillApiError ? (error.retryAfterMs ?? 0) : 0;
    const pauseMs = Math.max(askedMs, backoffMs);
    return now - this.#since + pauseMs > this.#limits[kind] ? null : pauseMs;
  }
}
