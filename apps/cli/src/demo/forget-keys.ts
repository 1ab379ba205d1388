import type { Environment } from '#config';
import { awaitRedis, connectRedis, exec, readRedisTls, serversOf } from '#store';

/** Maximum wait for Redis, ms. */
const PATIENCE_MS = 3_000;

/** Removes every key with a prefix from the queue and cache Redis, so that a demo leaves nothing on a shared Redis. */
export async function forgetKeys(environment: Environment, prefix: string): Promise<void> {
  const { EMBED_CACHE_REDIS_URL: cacheUrl, REDIS_URL: queueUrl } = environment;
  for (const url of new Set([queueUrl, cacheUrl ?? queueUrl])) {
    const redis = connectRedis(url, 'command', 'embedmill-demo', { tls: readRedisTls(environment) });
    try {
      await awaitRedis(redis, PATIENCE_MS);
      for (const server of serversOf(redis)) {
        const scan = server.scanStream({ match: `${prefix}:*`, count: 1000 }) as AsyncIterable<string[]>;
        for await (const keys of scan) {
          await exec(
            redis,
            keys.map((key) => ['unlink', key]),
          );
        }
      }
    } catch {
      // Redis is down or refuses SCAN: the keys expire by themselves.
    } finally {
      redis.disconnect();
    }
  }
}
