import { ApiError } from '#contracts';
import { excessOf } from '../planning/share.js';

/** Window over which the rate of answers is measured, ms. */
const RATE_WINDOW_MS = 10_000;

/**
 * Admission control of interactive requests: limits the texts that requests of this process wait for, per model, so
 * that the queue of waiting clients cannot grow forever. API keys share the limit evenly, see `excessOf`.
 */
export class InteractiveAdmission {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #answers: { at: number; texts: number }[] = [];

  /**
   * @param limit texts per model
   * @param now a clock, ms
   */
  constructor(limit: number, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Texts of a model that requests of this process wait for. */
  of(model: string): number {
    return [...(this.#counts.get(model)?.values() ?? [])].reduce((all, texts) => all + texts, 0);
  }

  /**
   * Admits a request.
   * @param keyId the caller's API key; null when authentication is off
   * @returns a function the caller must call when the request stops waiting, whether or not it was answered
   * @throws ApiError 429 `too_many_waiting`, with `Retry-After` computed from the rate of answers
   */
  enter(model: string, keyId: string | null, texts: number): (answered: boolean) => void {
    const key = keyId ?? '';
    const byKey = this.#counts.get(model) ?? new Map<string, number>();
    const excess = excessOf(this.#limit, byKey, key, texts);
    if (excess > 0) {
      const rate = this.#rate();
      throw new ApiError({
        status: 429,
        code: 'too_many_waiting',
        message:
          `${this.of(model)} texts of model "${model}" are waited for, and ${texts} more are over the limit of ${this.#limit} ` +
          '(EMBED_MAX_WAITING_TEXTS). Try again, or use POST /v1/jobs, which queues.',
        retryAfter: rate === 0 ? 5 : Math.min(60, excess / rate),
      });
    }
    this.#counts.set(model, byKey.set(key, (byKey.get(key) ?? 0) + texts));
    return (answered) => {
      const left = byKey.get(key)! - texts;
      if (left > 0) byKey.set(key, left);
      else byKey.delete(key);
      if (answered) this.#answers.push({ at: this.#now(), texts });
      this.#forgetOld();
    };
  }

  #forgetOld(): void {
    const since = this.#now() - RATE_WINDOW_MS;
    while (this.#answers[0] !== undefined && this.#answers[0].at < since) this.#answers.shift();
  }

  /** Texts per second. */
  #rate(): number {
    this.#forgetOld();
    return this.#answers.reduce((sum, { texts }) => sum + texts, 0) / (RATE_WINDOW_MS / 1000);
  }
}
