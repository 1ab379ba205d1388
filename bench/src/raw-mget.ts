import { embed, Keys, type Spec } from '#contracts';
import { cacheKeyOf, connectRedis } from '#store';

/** Keys in one MGET, as many as in the product. */
const CHUNK_KEYS = 512;

/** Cache keys of texts, as API and workers compute them. */
export function cacheKeys(spec: Spec, texts: readonly string[]): string[] {
  return texts.map(cacheKeyOf(new Keys('em'), embed, spec));
}

/**
 * Reads all values from the cache Redis and discards them, with the product's client and chunk size, pipelined on one
 * connection. This is the part of a cache hit that cannot be avoided.
 * @param valueBytes size of each value
 * @returns seconds
 * @throws when a value is missing or has another size
 */
export async function readRaw(url: string, keys: readonly string[], valueBytes: number): Promise<number> {
  const redis = connectRedis(url, 'worker', 'embedmill-bench');
  await redis.ping();
  const began = performance.now();
  // A limited number of chunks at a time: an unbounded pipeline would mainly measure the memory that it needs.
  for (let from = 0; from < keys.length; from += CHUNK_KEYS * CHUNKS_AHEAD) {
    const chunks = Array.from({ length: CHUNKS_AHEAD }, (_, n) =>
      keys.slice(from + n * CHUNK_KEYS, from + (n + 1) * CHUNK_KEYS),
    ).filter((chunk) => chunk.length > 0);
    const values = await Promise.all(chunks.map((chunk) => redis.mgetBuffer(chunk)));
    if (values.some((rows) => rows.some((row) => row?.length !== valueBytes))) throw new Error('a value is missing');
  }
  const seconds = (performance.now() - began) / 1000;
  redis.disconnect();
  return seconds;
}

const CHUNKS_AHEAD = 16;
