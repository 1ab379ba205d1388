import type { Outcome } from '#contracts';

/** A call collects the outcomes of the inputs of one `Engine.run`, each in its place, until all are there. */
export class Call {
  /** All outcomes in the order of the inputs; rejects after `fail`. */
  readonly outcomes: Promise<Outcome[]>;
  /** Whether its inputs are work that somebody asked for. */
  readonly counted: boolean;
  /** When its last input was tokenised, `performance.now()`. */
  tokenizedAt = 0;
  /** Device time of the last micro-batch that gave it a row. */
  deviceMs = 0;
  readonly #settled: (Outcome | undefined)[];
  #missing: number;
  #over = false;
  #resolve!: (outcomes: Outcome[]) => void;
  #reject!: (error: Error) => void;

  constructor(inputs: number, counted: boolean) {
    this.counted = counted;
    this.#settled = Array.from({ length: inputs });
    this.#missing = inputs;
    this.outcomes = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (inputs === 0) this.#resolve([]);
  }

  /** Whether an input needs no more work: it has its outcome, or the whole call has failed. */
  isSettled(index: number): boolean {
    return this.#over || this.#settled[index] !== undefined;
  }

  /** Gives an input its outcome; false when it needs none any more. */
  settle(index: number, outcome: Outcome): boolean {
    if (this.isSettled(index)) return false;
    this.#settled[index] = outcome;
    this.#missing--;
    if (this.#missing === 0) this.#resolve(this.#settled as Outcome[]);
    return true;
  }

  /** Ends the call for a reason that lies in no input: all of it may be tried again. */
  fail(error: Error): void {
    this.#over = true;
    this.#reject(error);
  }
}
