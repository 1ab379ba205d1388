import type { TextResult } from '#contracts';

/** An embed call collects the results of the texts of one `Engine.embed`, each in its place, until all are there. */
export class EmbedCall {
  /** All results in the order of the texts; rejects after `fail`. */
  readonly results: Promise<TextResult[]>;
  readonly counted: boolean;
  /** When its last text was tokenised, `performance.now()`. */
  tokenizedAt = 0;
  /** Device time of the last micro-batch that gave it a vector. */
  deviceMs = 0;
  readonly #settled: (TextResult | undefined)[];
  #missing: number;
  #over = false;
  #resolve!: (results: TextResult[]) => void;
  #reject!: (error: Error) => void;

  /** @param counted whether its texts are work that somebody asked for */
  constructor(texts: number, counted: boolean) {
    this.counted = counted;
    this.#settled = Array.from({ length: texts });
    this.#missing = texts;
    this.results = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (texts === 0) this.#resolve([]);
  }

  /** Whether a text needs no more work: it has its result, or the whole call has failed. */
  isSettled(index: number): boolean {
    return this.#over || this.#settled[index] !== undefined;
  }

  /** Gives a text its result; false when it needs none any more. */
  settle(index: number, result: TextResult): boolean {
    if (this.isSettled(index)) return false;
    this.#settled[index] = result;
    this.#missing--;
    if (this.#missing === 0) this.#resolve(this.#settled as TextResult[]);
    return true;
  }

  /** Ends the call for a reason that lies in no text: all of it may be tried again. */
  fail(error: Error): void {
    this.#over = true;
    this.#reject(error);
  }
}
