import type { Environment } from '#config';
import { Keys } from '#contracts';
import { awaitRedis, connectRedis, readRedisTls, type RedisClient, WorkerRegistry } from '#store';
import { type Check, fail, ok, reasonOf, warn } from './check.js';
import { judgeCache, judgeQueue } from './judge-redis.js';
import { judgeWorkers } from './judge-workers.js';
import { parseRedisInfo, type RedisInfo } from './redis-info.js';

const PATIENCE_MS = 3000;
/** Clocks that differ by more blur the history, which has steps of 2 s. */
const CLOCK_MS = 2000;

/** Both Redis servers, and the workers that announce themselves in the queue's. */
export async function checkRedis(environment: Environment): Promise<Check[]> {
  const { EMBED_CACHE_REDIS_URL: cacheUrl, REDIS_URL: queueUrl } = environment;
  let queueInfo: RedisInfo | null = null;
  const queue = await withRedis(environment, queueUrl, async (redis) => {
    queueInfo = parseRedisInfo(await redis.info());
    const workers = await new WorkerRegistry(redis, new Keys(environment.EMBED_KEY_PREFIX)).list();
    return [
      ok('queue: connection', hostOf(queueUrl)),
      ...judgeQueue(queueInfo),
      await clock(redis),
      ...judgeWorkers(workers, environment),
    ];
  }).catch((error: unknown) => [
    fail('queue: connection', reasonOf(error), 'start it, or set REDIS_URL; nothing works without it'),
  ]);

  const cache = await withRedis(environment, cacheUrl ?? queueUrl, async (redis) => [
    ok('cache: connection', hostOf(cacheUrl ?? queueUrl)),
    ...judgeCache(parseRedisInfo(await redis.info()), queueInfo),
  ]).catch((error: unknown) => [
    warn(
      'cache: connection',
      reasonOf(error),
      'start it, or set EMBED_CACHE_REDIS_URL; until then all is computed anew',
    ),
  ]);
  return [...queue, ...cache];
}

async function clock(redis: RedisClient): Promise<Check> {
  const before = Date.now();
  const [seconds, micros] = await redis.time();
  const apart = Math.round(Number(seconds) * 1000 + Number(micros) / 1000 - (before + Date.now()) / 2);
  const found = `${Math.abs(apart)} ms apart`;
  if (Math.abs(apart) <= CLOCK_MS) return ok('queue: clock', found);
  return warn('queue: clock', found, 'set the clocks of both machines by NTP: history and ages are wrong otherwise');
}

async function withRedis<T>(
  environment: Environment,
  url: string,
  look: (redis: RedisClient) => Promise<T>,
): Promise<T> {
  const redis = connectRedis(url, 'command', 'embedmill-doctor', { tls: readRedisTls(environment) });
  try {
    await awaitRedis(redis, PATIENCE_MS);
    return await look(redis);
  } finally {
    redis.disconnect();
  }
}

/** Without user and password. */
function hostOf(url: string): string {
  return new URL(url).host;
}
