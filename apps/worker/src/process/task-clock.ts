import type { Task, TaskTimings } from '#contracts';
import type { RunTimings } from '#inference';

/** Takes the time of one task, from now on. */
export class TaskClock {
  readonly #queueMs: number;
  #run: RunTimings = { tokenizeMs: 0, batchMs: 0, inferenceMs: 0 };

  constructor({ acceptedAt }: Pick<Task, 'acceptedAt'>) {
    this.#queueMs = Math.max(0, Date.now() - acceptedAt);
  }

  /** For `Engine.run`; not called when everything was in the cache or under way already. */
  readonly computed = (timings: RunTimings): void => {
    this.#run = timings;
  };

  read(): TaskTimings {
    return { queueMs: this.#queueMs, ...this.#run };
  }
}
