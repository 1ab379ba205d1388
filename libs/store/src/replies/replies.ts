import type { Keys, RequestTask } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec } from '../redis/exec.js';
import { encodeReply, type Reply } from './reply-codec.js';

/** How long a reply is kept for an API process that missed the notification, s. */
const REPLY_TTL_SECONDS = 120;

/** Largest reply sent within its notification, bytes: Redis buffers pub/sub messages in memory for slow readers. */
const INLINE_BYTES = 65_536;

/**
 * Writes workers' replies to waiting requests: the reply under the task's key, then a notification to the API process:
 * the task's id, followed, if the reply is small, by a zero byte and the reply itself, which saves the reader a round
 * trip.
 */
export class Replies {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Idempotent. */
  async write({ apiId }: Pick<RequestTask, 'apiId'>, taskId: string, reply: Reply): Promise<void> {
    const bytes = encodeReply(reply);
    const id = Buffer.from(taskId);
    const message = bytes.length > INLINE_BYTES ? id : Buffer.concat([id, Buffer.of(0), bytes]);
    await exec(this.#redis, [
      ['set', this.#keys.reply(taskId), bytes, 'EX', REPLY_TTL_SECONDS],
      ['publish', this.#keys.replies(apiId), message],
    ]);
  }
}
