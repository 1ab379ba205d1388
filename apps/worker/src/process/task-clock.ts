import type { Task, TaskTimings } from '#contracts';
import type { RunTimings } from '#inference';

/** Measures the stages of one task. Create it when the worker takes the task: that ends the queue time. */
export class TaskClock {
  readonly #queueMs: number;
  #run: RunTimings = { tokenizeMs: 0, batchMs: 0, inferenceMs: 0 };

  constructor({ acceptedAt }: Pick<Task, 'acceptedAt'>) {
    this.#queueMs = Math.max(0, Date.now() - acceptedAt);
  }

  /** Callback for `Engine.run`; not called when all inputs were in the cache or in flight already. */
  readonly computed = (timings: RunTimings): void => {
    this.#run = timings;
  };

  read(): TaskTimings {
    return { queueMs: this.#queueMs, ...this.#run };
  }
}
