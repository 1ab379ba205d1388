import type { Outcome } from '#contracts';

/** A call collects the outcomes of the inputs of one `Engine.run` until all are known. */
export class Call {
  /** All outcomes in the order of the inputs; rejects after `fail`. */
  readonly outcomes: Promise<Outcome[]>;
  /** Whether its inputs count in `EngineStats.texts`; false for the self-test. */
  readonly counted: boolean;
  /** When its last input was tokenised, by `performance.now()`; 0 until then. */
  tokenizedAt = 0;
  /** Device time of the last micro-batch that contained an input of the call, ms. */
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

  /** Sets the outcome of an input. @returns false when the input is already settled */
  settle(index: number, outcome: Outcome): boolean {
    if (this.isSettled(index)) return false;
    this.#settled[index] = outcome;
    this.#missing--;
    if (this.#missing === 0) this.#resolve(this.#settled as Outcome[]);
    return true;
  }

  /** Rejects the whole call for a reason unrelated to its inputs: all of them may be retried. */
  fail(error: Error): void {
    this.#over = true;
    this.#reject(error);
  }
}
