import type { TextError } from '#contracts';
import type { LaneTask } from '#queue';
import type { Reply } from '#store';
import type { PendingRequest } from './pending-request.js';

/** One input of a request, by its index there. */
export interface Place {
  readonly request: PendingRequest;
  readonly index: number;
}

/**
 * Observer of inputs of a task, by index, that no request waits for any more.
 * @param all whether no request waits for any input of the task now
 */
export type OnDrop = (task: LaneTask, indexes: readonly number[], all: boolean) => void;

/** A task of interactive requests, until its reply arrives or no request waits for it any more. */
export class PendingTask {
  readonly laneTask: LaneTask;
  /** `places[i]`: the requests that wait for input `i` of the task. */
  readonly #places: readonly (readonly Place[])[];
  readonly #onDrop: OnDrop;
  readonly #dropped = new Set<number>();
  readonly #over = new AbortController();

  constructor(laneTask: LaneTask, places: readonly (readonly Place[])[], onDrop: OnDrop) {
    this.laneTask = laneTask;
    this.#places = places;
    this.#onDrop = onDrop;
    for (const request of this.#requests()) request.join(this);
  }

  /** Aborts when the reply is no longer needed. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  settle({ outcomes, timings }: Reply): void {
    this.#over.abort(OVER);
    for (const [n, places] of this.#places.entries()) {
      for (const { index, request } of places) request.settle(index, outcomes[n] ?? LOST, timings);
    }
  }

  /** Fails all its requests: the task could not be enqueued, or its reply was late. */
  fail(error: unknown): void {
    this.#over.abort(OVER);
    for (const request of this.#requests()) request.fail(error);
  }

  /** No reply in time: drops the inputs that are left and fails all its requests. */
  late(error: unknown): void {
    this.#drop([...this.#places.keys()].filter((index) => !this.#dropped.has(index)));
    this.fail(error);
  }

  /** Drops inputs whose requests were all aborted. */
  dropUnwanted(): void {
    if (this.#over.signal.aborted) return;
    const fresh = [...this.#places.entries()]
      .filter(([index, places]) => !this.#dropped.has(index) && places.every(({ request }) => request.gone))
      .map(([index]) => index);
    this.#drop(fresh);
    if (this.#dropped.size === this.#places.length) this.#over.abort(OVER);
  }

  #drop(indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    for (const index of indexes) this.#dropped.add(index);
    this.#onDrop(this.laneTask, indexes, this.#dropped.size === this.#places.length);
  }

  #requests(): Set<PendingRequest> {
    return new Set(this.#places.flat().map(({ request }) => request));
  }
}

/** The default reason is a `DOMException`, which costs 20 µs. */
const OVER = 'the task is over';
const LOST: TextError = { code: 'task_failed', message: 'the worker gave no result for this text' };
