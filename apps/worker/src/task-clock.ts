import type { RequestTask, TaskTimings } from '#contracts';
import type { EmbedTimings } from '#inference';

/** Takes the time of one task that asks for it, from now on. */
export class TaskClock {
  readonly #queueMs: number;
  #embed: EmbedTimings = { tokenizeMs: 0, batchMs: 0, inferenceMs: 0 };

  constructor({ acceptedAt }: RequestTask) {
    this.#queueMs = Math.max(0, Date.now() - acceptedAt);
  }

  /** For `Engine.embed`; not called when everything was in the cache or under way already. */
  readonly embedded = (timings: EmbedTimings): void => {
    this.#embed = timings;
  };

  read(): TaskTimings {
    return { queueMs: this.#queueMs, ...this.#embed };
  }
}
