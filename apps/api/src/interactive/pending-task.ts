import type { TextError } from '#contracts';
import type { LaneTask } from '#queue';
import type { Reply } from '#store';
import type { PendingRequest } from './pending-request.js';

/** An input of a request: which it is there. */
export interface Place {
  readonly request: PendingRequest;
  readonly index: number;
}

/**
 * Told of inputs, by index, that nobody waits for any more.
 * @param all whether these were the last that somebody waited for
 */
export type OnDrop = (task: LaneTask, indexes: readonly number[], all: boolean) => void;

/** A task that was enqueued for waiting requests, until its reply is there or nobody waits for it any more. */
export class PendingTask {
  readonly laneTask: LaneTask;
  /** `places[i]`: where the task's input `i` is waited for. */
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

  /** Fires when the reply need not be waited for. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  settle({ outcomes, timings }: Reply): void {
    for (const [n, places] of this.#places.entries()) {
      for (const { index, request } of places) request.settle(index, outcomes[n] ?? LOST, timings);
    }
  }

  /** It could not be enqueued. */
  fail(error: unknown): void {
    this.#over.abort();
    for (const request of this.#requests()) request.fail(error);
  }

  /** There was no reply in time: those who wait are told, and nobody needs the rest. */
  late(error: unknown): void {
    this.#drop([...this.#places.keys()].filter((index) => !this.#dropped.has(index)));
    this.fail(error);
  }

  /** Some request has gone: inputs that were only its own are dropped. */
  dropUnwanted(): void {
    if (this.#over.signal.aborted) return;
    const fresh = [...this.#places.entries()]
      .filter(([index, places]) => !this.#dropped.has(index) && places.every(({ request }) => request.gone))
      .map(([index]) => index);
    this.#drop(fresh);
    if (this.#dropped.size === this.#places.length) this.#over.abort();
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

const LOST: TextError = { code: 'task_failed', message: 'the worker gave no result for this text' };
