import { Redis } from 'ioredis';
import type { Environment } from '#config';

/** Removes every key under a prefix from queue and cache Redis: a demo leaves nothing on a Redis that others use. */
export async function forgetKeys(settings: Environment, prefix: string): Promise<void> {
  const urls = new Set([settings.REDIS_URL, settings.EMBED_CACHE_REDIS_URL ?? settings.REDIS_URL]);
  for (const url of urls) {
    const redis = new Redis(url, { maxRetriesPerRequest: 1, retryStrategy: () => null });
    redis.on('error', () => {});
    try {
      for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1000 }) as AsyncIterable<string[]>) {
        if (keys.length > 0) await redis.unlink(...keys);
      }
    } catch {
      // It is gone, or refuses to be looked through: the keys expire by themselves.
    } finally {
      redis.disconnect();
    }
  }
}
