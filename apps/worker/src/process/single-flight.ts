import type { Lane, Outcome, TextError } from '#contracts';
import type { InputSignal } from '#inference';
import { InputAbort } from './input-abort.js';

export const CANCELLED: TextError = { code: 'cancelled', message: 'nobody waits for this text any more' };

/** Outcomes, and when a look into the cache would find them too. */
export interface Computed {
  readonly outcomes: readonly Outcome[];
  readonly kept: Promise<void>;
}

/**
 * Computes what nobody computes yet.
 * @param indexes places in the caller's list.
 * @param signals one for each index; it fires when nobody wants that input any more.
 * @returns an outcome for each index, in order.
 */
export type Compute = (indexes: readonly number[], signals: readonly InputSignal[]) => Promise<Computed>;

/**
 * Inputs in flight are computed once, however many tasks hold them, and stay in flight until the cache has them, so that
 * a task that looked there a moment too early finds them here. A task that loses interest leaves the others
 * undisturbed; the last one to leave calls the computation off.
 *
 * Bulk joins whatever runs. Interactive joins only interactive: it must not wait behind bulk's place in the queue.
 */
export class SingleFlight {
  readonly #running: Readonly<Record<Lane, Map<string, Shared>>> = { interactive: new Map(), bulk: new Map() };

  /**
   * @param keys cache keys: equal keys have equal outcomes.
   * @param wanted one signal for each key; when it fires, that outcome is `cancelled` at once.
   * @param compute called at most once.
   * @returns outcomes in the order of `keys`. @throws what `compute` throws, to everyone who waits on it.
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

/** The outcomes of one caller's inputs, until all are there or one failed. */
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

/** Someone who wants an input under computation. */
interface Waiting {
  readonly gathering: Gathering;
  readonly index: number;
  readonly wanted: InputSignal;
  readonly leave: () => void;
}

/** One input under computation and those who want it. Without promises of its own: there is one for every input. */
class Shared {
  readonly #abandon = new InputAbort();
  /** From now on it is computed anew. */
  readonly over: () => void;
  #waiting: Waiting[] = [];
  #end: End | undefined;

  constructor(over: () => void) {
    this.over = over;
  }

  /** Fires when nobody wants the input any more. */
  get abandoned(): InputSignal {
    return this.#abandon;
  }

  wait(gathering: Gathering, index: number, wanted: InputSignal): void {
    if (this.#end !== undefined && !wanted.aborted) return tell(gathering, index, this.#end);
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
    const told = this.#waiting;
    this.#waiting = [];
    for (const { gathering, index, wanted, leave } of told) {
      wanted.removeEventListener('abort', leave);
      tell(gathering, index, end);
    }
  }
}

function tell(gathering: Gathering, index: number, end: End): void {
  if ('outcome' in end) gathering.settle(index, end.outcome);
  else gathering.fail(end.error);
}
