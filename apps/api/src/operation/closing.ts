/** Tells everything in this process that holds requests open that the process is shutting down. */
export class Closing {
  readonly #closing = new AbortController();

  /** Fires when the shutdown begins. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  begin(): void {
    this.#closing.abort();
  }
}
