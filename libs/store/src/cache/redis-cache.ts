import type { RedisClient } from '../redis/client.js';
import { exec, getStrings, setStrings } from '../redis/exec.js';
import type { RowCache } from './row-cache.js';

/** Keys per MGET or MSET: enough for little overhead, few enough not to block Redis for long. */
const CHUNK_KEYS = 512;
/** Pause after a command timed out before the server is tried again, ms. */
const HUNG_PAUSE_MS = 1000;

export interface RedisCacheOptions {
  /** Observer of every failure, since callers see only misses. */
  readonly onError?: (error: Error) => void;
  /**
   * Time to live of an entry, s; null: until Redis evicts it. A cache in the queue's Redis needs a time to live,
   * because that Redis evicts nothing. Without one, a write is a single MSET, which costs Redis a quarter as much.
   */
  readonly ttlSeconds?: number | null;
}

/** The cache that all processes share. */
export class RedisCache implements RowCache {
  readonly #redis: RedisClient;
  readonly #onError: (error: Error) => void;
  readonly #ttlSeconds: number | null;
  #failing = false;
  /** When to try a hung server again (one call then probes it, the others miss), ms; null if it does not hang. */
  #hungUntil: number | null = null;
  #probing = false;

  /** @param redis of role `cache`: it must fail fast */
  constructor(redis: RedisClient, { onError = () => {}, ttlSeconds = null }: RedisCacheOptions = {}) {
    this.#redis = redis;
    this.#onError = onError;
    this.#ttlSeconds = ttlSeconds;
  }

  /** Whether the cache is connected and its last command succeeded. */
  get up(): boolean {
    return this.#redis.status === 'ready' && !this.#failing;
  }

  async getMany(keys: readonly string[]): Promise<(Buffer | null)[]> {
    const parts = await Promise.all(
      chunks(keys).map(
        async (chunk) => (await this.#try(() => getStrings(this.#redis, chunk))) ?? chunk.map(() => null),
      ),
    );
    return parts.flat();
  }

  async setMany(entries: readonly (readonly [key: string, row: Buffer])[]): Promise<void> {
    await Promise.all(chunks(entries).map((chunk) => this.#try(() => this.#write(chunk))));
  }

  async #write(entries: readonly (readonly [key: string, row: Buffer])[]): Promise<void> {
    if (this.#ttlSeconds === null) {
      await setStrings(this.#redis, entries);
      return;
    }
    const ttl = this.#ttlSeconds;
    await exec(
      this.#redis,
      entries.map(([key, row]) => ['set', key, row, 'EX', ttl]),
    );
  }

  async #try<T>(work: () => Promise<T>): Promise<T | null> {
    const probe = this.#hungUntil !== null;
    if (this.#hungUntil !== null && (this.#probing || performance.now() < this.#hungUntil)) {
      this.#onError(new Error('the cache does not answer'));
      return null;
    }
    if (probe) this.#probing = true;
    try {
      const result = await work();
      this.#failing = false;
      this.#hungUntil = null;
      return result;
    } catch (error) {
      this.#failing = true;
      this.#hungUntil = isTimeout(error as Error) ? performance.now() + HUNG_PAUSE_MS : null;
      this.#onError(error as Error);
      return null;
    } finally {
      if (probe) this.#probing = false;
    }
  }
}

/** Whether the server did not answer in time. Without a connection, commands fail at once and need no pause. */
function isTimeout(error: Error): boolean {
  return error.message === 'Command timed out';
}

function chunks<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < all.length; from += CHUNK_KEYS) parts.push(all.slice(from, from + CHUNK_KEYS));
  return parts;
}
