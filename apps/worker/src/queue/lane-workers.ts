import type { Consumer } from './consumer.js';

/** This process's BullMQ workers: one for each model and lane. */
export class LaneWorkers {
  readonly #consumers: readonly Consumer[];

  constructor(consumers: readonly Consumer[]) {
    this.#consumers = consumers;
  }

  /** Resolves when every queue connection is there, so that tasks flow. */
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

  /** Takes no further tasks, and resolves when those held have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#consumers.map(({ worker }) => worker.close()));
  }
}
