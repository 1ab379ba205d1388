/** Signals the shutdown to every component of this process that holds requests open. */
export class Closing {
  readonly #closing = new AbortController();

  /** Aborts when the shutdown begins. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  begin(): void {
    this.#closing.abort();
  }
}
