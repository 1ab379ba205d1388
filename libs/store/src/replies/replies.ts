import type { Keys, RequestTask } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec } from '../redis/exec.js';
import { encodeReply, type Reply } from './reply-codec.js';

/** How long a reply is kept for an API process that missed the news, s. */
const REPLY_TTL_SECONDS = 120;

/** Longest reply that is sent along with its news, bytes: Redis keeps such messages in memory for slow readers. */
const INLINE_BYTES = 65_536;

/**
 * Where workers answer waiting requests: the reply under the task's key, then news of it to the API process: the task's
 * id, and with a small reply itself after a zero byte, which saves the reader a round trip.
 */
export class Replies {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Safe to repeat. */
  async write({ apiId }: Pick<RequestTask, 'apiId'>, taskId: string, reply: Reply): Promise<void> {
    const bytes = encodeReply(reply);
    const news = Buffer.from(taskId);
    const message = bytes.length > INLINE_BYTES ? news : Buffer.concat([news, Buffer.of(0), bytes]);
    await exec(this.#redis, [
      ['set', this.#keys.reply(taskId), bytes, 'EX', REPLY_TTL_SECONDS],
      ['publish', this.#keys.replies(apiId), message],
    ]);
  }
}
