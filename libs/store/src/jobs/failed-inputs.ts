import type { Keys, PlacedInput } from '#contracts';
import type { RedisClient } from '../redis/client.js';

/** Maximum number of failed inputs kept per job; further ones cannot be retried. */
export const MOST_FAILED_INPUTS = 100_000;
/** Approximate number of entries per read. */
const SCAN_COUNT = 64;

/** JSON of a failed input; `lua/retry.lua` reads `positions`. */
export function encodeFailedInput({ input, positions }: PlacedInput): string {
  return JSON.stringify({ positions, input });
}

/** Inputs that failed in a worker, kept as long as their job, so that they can be retried. */
export class FailedInputs {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Failed inputs that are not being retried, in batches. */
  async *kept(jobId: string): AsyncGenerator<PlacedInput[]> {
    for await (const entries of this.#scan(this.#keys.jobFailedInputs(jobId))) {
      yield entries.map(([, json]) => decode(JSON.parse(json)));
    }
  }

  /** Inputs that are being retried, by unit. */
  async *underWay(jobId: string): AsyncGenerator<{ unit: number; inputs: PlacedInput[] }> {
    for await (const entries of this.#scan(this.#keys.jobRetries(jobId))) {
      for (const [unit, json] of entries) {
        yield { unit: Number(unit), inputs: (JSON.parse(json) as unknown[]).map(decode) };
      }
    }
  }

  /** Number of units that are being retried. */
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

/** 0.1.0 stored the input as `text`. */
function decode(json: unknown): PlacedInput {
  const { positions, ...rest } = json as { positions: number[]; input?: unknown; text?: string };
  return { positions, input: rest.text ?? rest.input };
}
