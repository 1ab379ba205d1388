import type { Lane, Outcome, TextError } from '#contracts';
import type { InputSignal } from '#inference';
import { InputAbort } from './input-abort.js';

export const CANCELLED: TextError = { code: 'cancelled', message: 'nobody waits for this text any more' };

/** Outcomes; `kept` resolves when the cache has their rows. */
export interface Computed {
  readonly outcomes: readonly Outcome[];
  readonly kept: Promise<void>;
}

/**
 * Computes the inputs that are not in flight yet.
 * @param indexes indexes into the caller's keys.
 * @param signals one for each index; aborts when no task wants that input any more.
 * @returns an outcome for each index, in order.
 */
export type Compute = (indexes: readonly number[], signals: readonly InputSignal[]) => Promise<Computed>;

/**
 * Single-flight: each input is computed once, however many tasks hold it. It stays in flight until the cache has its
 * row, so that a task whose cache lookup came too early finds it here. A task that aborts does not affect the others;
 * when the last one aborts, the computation is cancelled.
 *
 * Bulk tasks join any computation in flight. Interactive tasks join only interactive ones, so that they never wait in
 * the bulk queue.
 */
export class SingleFlight {
  readonly #running: Readonly<Record<Lane, Map<string, Shared>>> = { interactive: new Map(), bulk: new Map() };

  /**
   * @param keys cache keys: equal keys have equal outcomes.
   * @param wanted one signal for each key; when it aborts, that outcome is `cancelled` at once.
   * @param compute called at most once, for the keys that are not in flight.
   * @returns outcomes in the order of `keys`. @throws the error of `compute`, to every caller that waits for it.
   */
  join(lane: Lane, keys: readonly string[], wanted: readonly InputSignal[], compute: Compute): Promise<Outcome[]> {
    const fresh: number[] = [];
    const shared = keys.map((key, index) => {
      const running = this.#find(lane, key);
      if (running !== undefined) return running;
      const started = new Shared(() => this.#forget(lane, key, started));
      this.#running[lane].set(key, started);
      fresh.push(index);
      return started;
    });
    const outcomes = new Promise<Outcome[]>((resolve, reject) => {
      const gathering = new Gathering(keys.length, resolve, reject);
      shared.forEach((entry, index) => entry.wait(gathering, index, wanted[index]!));
    });
    if (fresh.length > 0) {
      const started = fresh.map((index) => shared[index]!);
      void compute(
        fresh,
        started.map((entry) => entry.abandoned),
      ).then(
        ({ outcomes: computed, kept }) => {
          started.forEach((entry, n) => entry.settle(computed[n]!));
          return kept.finally(() => started.forEach((entry) => entry.over()));
        },
        (error: Error) => started.forEach((entry) => entry.fail(error)),
      );
    }
    return outcomes;
  }

  #find(lane: Lane, key: string): Shared | undefined {
    return this.#running.interactive.get(key) ?? (lane === 'bulk' ? this.#running.bulk.get(key) : undefined);
  }

  #forget(lane: Lane, key: string, entry: Shared): void {
    if (this.#running[lane].get(key) === entry) this.#running[lane].delete(key);
  }
}

/** Collects the outcomes of one caller's inputs, until it has all or one fails. */
class Gathering {
  readonly #outcomes: (Outcome | undefined)[];
  readonly #done: (outcomes: Outcome[]) => void;
  #missing: number;
  readonly fail: (error: Error) => void;

  constructor(inputs: number, done: (outcomes: Outcome[]) => void, fail: (error: Error) => void) {
    this.#outcomes = Array.from({ length: inputs });
    this.#missing = inputs;
    this.#done = done;
    this.fail = fail;
    if (inputs === 0) done([]);
  }

  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome;
    if (--this.#missing === 0) this.#done(this.#outcomes as Outcome[]);
  }
}

/** How a computation ended. */
type End = { readonly outcome: Outcome } | { readonly error: Error };

/** A caller that waits for an input in flight. */
interface Waiting {
  readonly gathering: Gathering;
  readonly index: number;
  readonly wanted: InputSignal;
  readonly leave: () => void;
}

/** One input in flight and its waiters. It uses no promises, for speed, since there is one for every input. */
class Shared {
  readonly #abandon = new InputAbort();
  /** Ends the flight: later callers compute the input again. */
  readonly over: () => void;
  #waiting: Waiting[] = [];
  #end: End | undefined;

  constructor(over: () => void) {
    this.over = over;
  }

  /** Aborts when no caller wants the input any more. */
  get abandoned(): InputSignal {
    return this.#abandon;
  }

  wait(gathering: Gathering, index: number, wanted: InputSignal): void {
    if (this.#end !== undefined && !wanted.aborted) return deliver(gathering, index, this.#end);
    const waiting: Waiting = { gathering, index, wanted, leave: () => this.#leave(waiting) };
    this.#waiting.push(waiting);
    if (wanted.aborted) waiting.leave();
    else wanted.addEventListener('abort', waiting.leave);
  }

  settle(outcome: Outcome): void {
    this.#finish({ outcome });
  }

  fail(error: Error): void {
    this.over();
    this.#finish({ error });
  }

  #leave(waiting: Waiting): void {
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    waiting.gathering.settle(waiting.index, CANCELLED);
    if (this.#waiting.length > 0 || this.#end !== undefined) return;
    this.over();
    this.#abandon.abort();
  }

  #finish(end: End): void {
    this.#end = end;
    const waiters = this.#waiting;
    this.#waiting = [];
    for (const { gathering, index, wanted, leave } of waiters) {
      wanted.removeEventListener('abort', leave);
      deliver(gathering, index, end);
    }
  }
}

function deliver(gathering: Gathering, index: number, end: End): void {
  if ('outcome' in end) gathering.settle(index, end.outcome);
  else gathering.fail(end.error);
}
