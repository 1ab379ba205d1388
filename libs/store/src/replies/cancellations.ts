import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec, type RedisCommand } from '../redis/exec.js';

/** Cancelled work: a whole job, or inputs of a waiting request's task by index. */
export type Cancellation =
  { readonly jobId: string } | { readonly taskId: string; readonly indexes: readonly number[] };

/** How long dropped indexes are kept for a worker that takes the task later, s. */
const DROPPED_TTL_SECONDS = 3600;

/** Publishes cancelled work to the workers that hold it, and records it for those that take it later. */
export class Cancellations {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Cancels inputs of a waiting request's task, by index. */
  async drop(taskId: string, indexes: readonly number[]): Promise<void> {
    if (indexes.length === 0) return;
    const key = this.#keys.dropped(taskId);
    // Published last: a worker that takes the task afterwards, and so misses the message, finds the indexes recorded.
    await exec(this.#redis, [
      ['sadd', key, ...indexes],
      ['expire', key, DROPPED_TTL_SECONDS],
      this.#publication({ taskId, indexes }),
    ]);
  }

  /** Publishes that a job was cancelled or failed. Workers that take its tasks later see that from its state. */
  async cancelJob(jobId: string): Promise<void> {
    await exec(this.#redis, [this.#publication({ jobId })]);
  }

  /** Indexes of a task's inputs that were dropped so far. */
  async dropped(taskId: string): Promise<number[]> {
    return (await this.#redis.smembers(this.#keys.dropped(taskId))).map(Number);
  }

  #publication(cancellation: Cancellation): RedisCommand {
    return ['publish', this.#keys.cancellations(), JSON.stringify(cancellation)];
  }
}

/** Receives cancellations in a worker. One may be missed while Redis is away; its work is then merely done in vain. */
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
      // Rejects only when the connection is closed for good; until then ioredis retries.
    });
  }

  onCancel(listener: (cancellation: Cancellation) => void): void {
    this.#listeners.push(listener);
  }
}
