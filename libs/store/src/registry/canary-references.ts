import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';

/**
 * References of the self-test: the row that the first worker of a fingerprint computed for the example. All later rows
 * for it, of every worker of that fingerprint, are compared with this one.
 */
export class CanaryReferences {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @param vector floats that this worker computed, stored if there is no reference yet. @returns the reference */
  async agree(fingerprint: string, vector: Float32Array): Promise<Float32Array> {
    const key = this.#keys.canary(fingerprint);
    const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
    await this.#redis.setnx(key, bytes);
    const kept = await this.#redis.getBuffer(key);
    // Stored bytes of another length cannot be a reference for this model: ignore them.
    return new Float32Array(Uint8Array.from(kept?.length === bytes.length ? kept : bytes).buffer);
  }
}
