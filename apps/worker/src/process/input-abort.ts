import type { InputSignal } from '#inference';

/**
 * An AbortController and its signal in one, for a single input. Node's own pair costs more than the rest of an
 * input's way through the worker, and a worker needs two for every input.
 */
export class InputAbort implements InputSignal {
  #aborted = false;
  /** Nearly always one at most. */
  #listeners: readonly (() => void)[] = NONE;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Calls the listeners, the first time. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = this.#listeners;
    this.#listeners = NONE;
    for (const listener of listeners) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.#aborted) this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listeners.length > 0) this.#listeners = this.#listeners.filter((one) => one !== listener);
  }
}

const NONE: readonly (() => void)[] = [];
