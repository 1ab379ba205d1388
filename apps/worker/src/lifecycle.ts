import { setMaxListeners } from 'node:events';
import type { WorkerRecord } from '#contracts';

/**
 * State machine of a worker. Only boot, drain, a lost device and the canary change the state. `ready` and `unfit` may
 * alternate; `draining` is final.
 */
export class Lifecycle {
  readonly startedAt = Date.now();
  readonly #leaving = held();
  #holding = held();
  #state: WorkerRecord['state'] = 'starting';
  #reason: string | null = null;

  get state(): WorkerRecord['state'] {
    return this.#state;
  }

  /** Why the worker is unfit, for operators; null otherwise. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Aborts when this worker must end now: its device is lost, or `drainMs` is over. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Aborts when this worker returns the tasks it holds to the queue. Tasks taken after `fit` get a new signal. */
  get holding(): AbortSignal {
    return this.#holding.signal;
  }

  ready(): void {
    if (this.#state === 'starting') this.#state = 'ready';
  }

  /** Takes the worker out of service until `fit`; the tasks held go back to the queue. */
  unfit(reason: string): void {
    if (this.#state === 'draining') return;
    this.#state = 'unfit';
    this.#reason = reason;
    this.#holding.abort(new Error(reason));
  }

  /** Puts the worker into service again. */
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
  // Every task held adds a listener.
  setMaxListeners(0, holding.signal);
  return holding;
}
