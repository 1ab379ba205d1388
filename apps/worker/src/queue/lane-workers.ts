import type { Consumer } from './consumer.js';

/** The BullMQ workers of this process: one for each model and lane. */
export class LaneWorkers {
  readonly #consumers: readonly Consumer[];

  constructor(consumers: readonly Consumer[]) {
    this.#consumers = consumers;
  }

  /** Resolves when the Redis connections of every worker are ready, so that it takes tasks. */
  async ready(): Promise<void> {
    await Promise.all(this.#consumers.map(({ worker }) => worker.waitUntilReady()));
  }

  /** Takes no further tasks until `resume`. */
  pause(): void {
    for (const { worker } of this.#consumers) void worker.pause(true);
  }

  resume(): void {
    for (const { worker } of this.#consumers) void worker.resume();
  }

  /** Takes no further tasks; resolves when those held have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#consumers.map(({ worker }) => worker.close()));
  }
}
