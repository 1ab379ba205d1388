import type { Lane, Operation, Outcome, Spec, TaskTimings } from '#contracts';
import { currentTrace, type TraceHandle } from '#telemetry';

/** Inputs of one interactive request that must be computed. */
export interface Want {
  readonly model: string;
  readonly operation: Operation;
  readonly spec: Spec;
  readonly lane: Lane;
  /** For the worker's log. */
  readonly requestId: string;
  /** Distinct. */
  readonly inputs: readonly unknown[];
  /** Aborts when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
}

/** The outcomes of a request's inputs. */
export interface Computed {
  /** One for each input, in order. */
  readonly outcomes: readonly Outcome[];
  /** Timings of the task whose reply came last, and so determined the wait. */
  readonly timings: TaskTimings;
}

/** A task that computes some of a request's inputs. */
interface JoinedTask {
  /** Drops inputs whose requests were all aborted. */
  dropUnwanted(): void;
}

/** An interactive request, until all its inputs have outcomes. */
export class PendingRequest {
  readonly want: Want;
  readonly trace: TraceHandle = currentTrace();
  readonly computed: Promise<Computed>;
  readonly #outcomes: (Outcome | undefined)[];
  readonly #tasks: JoinedTask[] = [];
  #missing: number;
  #resolve!: (computed: Computed) => void;
  #reject!: (error: unknown) => void;

  constructor(want: Want) {
    this.want = want;
    this.#outcomes = want.inputs.map(() => undefined);
    this.#missing = want.inputs.length;
    this.computed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // One listener, however many tasks its inputs are in.
    want.signal.addEventListener('abort', this.#leave, { once: true });
  }

  get gone(): boolean {
    return this.want.signal.aborted;
  }

  /** Registers a task that computes some of this request's inputs. */
  join(task: JoinedTask): void {
    this.#tasks.push(task);
  }

  settle(index: number, outcome: Outcome, timings: TaskTimings): void {
    if (this.#outcomes[index] !== undefined) return;
    this.#outcomes[index] = outcome;
    if (--this.#missing > 0) return;
    this.#end();
    this.#resolve({ outcomes: this.#outcomes as Outcome[], timings });
  }

  fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  readonly #leave = (): void => {
    this.fail(this.want.signal.reason);
    for (const task of this.#tasks) task.dropUnwanted();
  };

  #end(): void {
    this.want.signal.removeEventListener('abort', this.#leave);
  }
}
