import type { Keys } from '#contracts';
import type { Redis } from 'ioredis';

/** Failed texts kept for one job; those beyond cannot be tried again. */
export const MOST_FAILED_TEXTS = 100_000;
/** Entries read in one go, about. */
const SCAN_COUNT = 64;

/** A text and every place in its job where it stands. */
export interface FailedPlaces {
  readonly text: string;
  /** At least one. */
  readonly positions: number[];
}

/** `lua/retry.lua` reads the positions. */
export function encodeFailedText({ text, positions }: FailedPlaces): string {
  return JSON.stringify({ positions, text });
}

/** Texts that failed in a worker, kept as long as their job, so that they can be tried again. */
export class FailedTexts {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Those nobody has taken yet, part by part. */
  async *kept(jobId: string): AsyncGenerator<FailedPlaces[]> {
    for await (const entries of this.#scan(this.#keys.jobFailedTexts(jobId))) {
      yield entries.map(([, json]) => JSON.parse(json) as FailedPlaces);
    }
  }

  /** Those that are being tried again, by their unit. */
  async *underWay(jobId: string): AsyncGenerator<{ unit: number; texts: FailedPlaces[] }> {
    for await (const entries of this.#scan(this.#keys.jobRetries(jobId))) {
      for (const [unit, json] of entries) yield { unit: Number(unit), texts: JSON.parse(json) as FailedPlaces[] };
    }
  }

  /** Units that are being tried again. */
  unitsUnderWay(jobId: string): Promise<number> {
    return this.#redis.hlen(this.#keys.jobRetries(jobId));
  }

  async *#scan(key: string): AsyncGenerator<[field: string, value: string][]> {
    let cursor = '0';
    do {
      const [next, flat] = await this.#redis.hscan(key, cursor, 'COUNT', SCAN_COUNT);
      cursor = next;
      yield Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n]!, flat[2 * n + 1]!]);
    } while (cursor !== '0');
  }
}
