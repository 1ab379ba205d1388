import type { Keys, RequestTask, TaskTimings, TextResult } from '#contracts';
import type { Redis } from 'ioredis';
import { encodeReply } from './reply-codec.js';

/** How long a reply is kept for an API process that missed the news, s. */
const REPLY_TTL_SECONDS = 120;

/** Longest reply that is sent along with its news, bytes: Redis keeps such messages in memory for slow readers. */
const INLINE_BYTES = 65_536;

/**
 * Where workers answer waiting requests: the reply under the task's key, then news of it to the API process: the task's
 * id, and with a small reply itself after a zero byte, which saves the reader a round trip.
 */
export class Replies {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @param results one for each text of the task. Safe to repeat. */
  async write(task: RequestTask, taskId: string, results: readonly TextResult[], timings?: TaskTimings): Promise<void> {
    const reply = encodeReply(results, timings);
    const news = Buffer.from(taskId);
    const replies = await this.#redis
      .pipeline()
      .set(this.#keys.reply(taskId), reply, 'EX', REPLY_TTL_SECONDS)
      .publish(
        this.#keys.replies(task.apiId),
        reply.length > INLINE_BYTES ? news : Buffer.concat([news, Buffer.of(0), reply]),
      )
      .exec();
    for (const [error] of replies ?? []) if (error) throw error;
  }
}
