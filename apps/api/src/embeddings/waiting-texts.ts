import { ApiError } from '#contracts';

/** Over how long the rate of answers is measured, ms. */
const RATE_WINDOW_MS = 10_000;

/**
 * Texts that requests of this process wait for, by model: bounded, so that a queue of waiting clients cannot grow for
 * ever. A key that has less waiting than its share, the limit divided by the keys that wait, is let in all the same.
 */
export class WaitingTexts {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #answers: { at: number; texts: number }[] = [];

  /** @param now a clock, ms */
  constructor(limit: number, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  of(model: string): number {
    return sum(this.#counts.get(model));
  }

  /**
   * @param keyId of the API key; null where none is asked for
   * @returns to be called when the request waits no more, whether or not it has its answer
   * @throws ApiError 429 with `Retry-After` after the rate at which answers come
   */
  enter(model: string, keyId: string | null, texts: number): (answered: boolean) => void {
    const waiting = this.of(model);
    const key = keyId ?? '';
    const byKey = this.#counts.get(model) ?? new Map<string, number>();
    const own = byKey.get(key) ?? 0;
    const keys = byKey.size + (byKey.has(key) ? 0 : 1);
    const hasShare = keys > 1 && own + texts <= this.#limit / keys;
    if (waiting > 0 && waiting + texts > this.#limit && !hasShare) {
      const rate = this.#rate();
      throw new ApiError({
        status: 429,
        code: 'too_many_waiting',
        message:
          `${waiting} texts of model "${model}" are waited for, and ${texts} more are over the limit of ${this.#limit} ` +
          '(EMBED_MAX_WAITING_TEXTS). Try again, or use POST /v1/jobs, which queues.',
        retryAfter: rate === 0 ? 5 : Math.min(60, (waiting + texts - this.#limit) / rate),
      });
    }
    this.#counts.set(model, byKey.set(key, own + texts));
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

  /** Texts a second. */
  #rate(): number {
    this.#forgetOld();
    return this.#answers.reduce((sum, { texts }) => sum + texts, 0) / (RATE_WINDOW_MS / 1000);
  }
}

function sum(byKey: Map<string, number> | undefined): number {
  return [...(byKey?.values() ?? [])].reduce((all, texts) => all + texts, 0);
}
