import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec } from '../redis/exec.js';

/** Work that is not wanted any more: a whole job's, or inputs of a waiting request's task by index. */
export type Cancellation =
  { readonly jobId: string } | { readonly taskId: string; readonly indexes: readonly number[] };

/** How long it is remembered that inputs were dropped, for the worker that takes their task later, s. */
const DROPPED_TTL_SECONDS = 3600;

/** Tells workers which work nobody wants any more: those that hold it and those that will take it. */
export class Cancellations {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Nobody waits for these inputs of a task, by index. */
  async drop(taskId: string, indexes: readonly number[]): Promise<void> {
    if (indexes.length === 0) return;
    const key = this.#keys.dropped(taskId);
    await exec(this.#redis, [
      ['sadd', key, ...indexes],
      ['expire', key, DROPPED_TTL_SECONDS],
    ]);
    await this.#publish({ taskId, indexes });
  }

  /** A job that was cancelled or failed. Its state tells those who take its tasks later. */
  cancelJob(jobId: string): Promise<void> {
    return this.#publish({ jobId });
  }

  /** Indexes dropped so far. */
  async dropped(taskId: string): Promise<number[]> {
    return (await this.#redis.smembers(this.#keys.dropped(taskId))).map(Number);
  }

  async #publish(cancellation: Cancellation): Promise<void> {
    await this.#redis.publish(this.#keys.cancellations(), JSON.stringify(cancellation));
  }
}

/** Hears of cancellations, in a worker. One may be missed while Redis is away: its work is done in vain then, no more. */
export class CancellationListener {
  readonly #listeners: ((cancellation: Cancellation) => void)[] = [];

  /** @param subscriber of role `subscriber` */
  constructor(subscriber: RedisClient, keys: Keys) {
    const channel = keys.cancellations();
    subscriber.on('message', (from: string, message: string) => {
      if (from !== channel) return;
      const cancellation = JSON.parse(message) as Cancellation;
      for (const listener of this.#listeners) listener(cancellation);
    });
    subscriber.subscribe(channel).catch(() => {
      // Only when the connection is closed for good; until then it is repeated.
    });
  }

  onCancel(listener: (cancellation: Cancellation) => void): void {
    this.#listeners.push(listener);
  }
}
