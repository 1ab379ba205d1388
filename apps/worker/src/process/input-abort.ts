import type { InputSignal } from '#inference';

/**
 * A lightweight AbortController and its signal in one, for a single input. Node's own pair costs more than all other
 * work of the worker on an input, and every input needs two.
 */
export class InputAbort implements InputSignal {
  #aborted = false;
  /** Nearly always empty or one listener. */
  #listeners: readonly (() => void)[] = NONE;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Aborts and calls the listeners; later calls do nothing. */
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
