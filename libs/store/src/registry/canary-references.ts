import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';

/**
 * What the canary's text came out as on the first worker of a fingerprint: what all its later answers, and those of
 * every other worker of that fingerprint, are compared with.
 */
export class CanaryReferences {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @param vector of this worker, kept when there is none yet. @returns the one that is kept */
  async agree(fingerprint: string, vector: Float32Array): Promise<Float32Array> {
    const key = this.#keys.canary(fingerprint);
    const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
    await this.#redis.setnx(key, bytes);
    const kept = await this.#redis.getBuffer(key);
    // What is no vector of this model's is no reference.
    return new Float32Array(Uint8Array.from(kept?.length === bytes.length ? kept : bytes).buffer);
  }
}
