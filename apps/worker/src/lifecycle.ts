import { setMaxListeners } from 'node:events';
import type { WorkerRecord } from '#contracts';

/**
 * The stages of a worker's life. Everyone reads it; only boot, drain, a lost device and the canary move it on. Between
 * `ready` and `unfit` it may go back and forth; from `draining` there is no way back.
 */
export class Lifecycle {
  readonly startedAt = Date.now();
  readonly #leaving = new AbortController();
  #holding = held();
  #state: WorkerRecord['state'] = 'starting';
  #reason: string | null = null;

  get state(): WorkerRecord['state'] {
    return this.#state;
  }

  /** Why it is unfit, in words; null otherwise. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Fires when this worker ends because its device is lost. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Fires when this worker gives up the tasks it holds now, so that others take them. Those taken later have another. */
  get holding(): AbortSignal {
    return this.#holding.signal;
  }

  ready(): void {
    if (this.#state === 'starting') this.#state = 'ready';
  }

  /** Out of service until `fit`: the tasks held go back to the queue. */
  unfit(reason: string): void {
    if (this.#state === 'draining') return;
    this.#state = 'unfit';
    this.#reason = reason;
    this.#holding.abort(new Error(reason));
  }

  /** In service again. */
  fit(): void {
    if (this.#state !== 'unfit') return;
    this.#state = 'ready';
    this.#reason = null;
    this.#holding = held();
  }

  draining(): void {
    this.#state = 'draining';
    this.#reason = null;
  }

  leave(reason: Error): void {
    this.draining();
    this.#holding.abort(reason);
    this.#leaving.abort(reason);
  }
}

function held(): AbortController {
  const holding = new AbortController();
  // Every task held listens.
  setMaxListeners(0, holding.signal);
  return holding;
}
