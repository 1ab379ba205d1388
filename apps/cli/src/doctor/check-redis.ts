import type { Environment } from '#config';
import { Keys } from '#contracts';
import { awaitRedis, connectRedis, hostsOf, readRedisTls, type RedisClient, serversOf, WorkerRegistry } from '#store';
import { type Check, fail, ok, reasonOf, warn } from './check.js';
import { judgeCache, judgeQueue } from './judge-redis.js';
import { judgeWorkers } from './judge-workers.js';
import { parseRedisInfo, type RedisInfo } from './redis-info.js';

const PATIENCE_MS = 3000;
/** Maximum difference of clocks, ms: beyond it the history, which has steps of 2 s, becomes inaccurate. */
const CLOCK_MS = 2000;

/** Checks the queue's and the cache's Redis, each of their servers, and the workers registered in the queue's Redis. */
export async function checkRedis(environment: Environment): Promise<Check[]> {
  const { EMBED_CACHE_REDIS_URL: cacheUrl, REDIS_URL: queueUrl } = environment;
  let queueInfos: RedisInfo[] = [];
  const queue = await withRedis(environment, queueUrl, async (redis) => {
    const servers = await infoOf(redis);
    queueInfos = servers.map(({ info }) => info);
    const workers = await new WorkerRegistry(redis, new Keys(environment.EMBED_KEY_PREFIX)).list();
    return [
      ok('queue: connection', hostsOf(queueUrl)),
      ...servers.flatMap((server) => named(judgeQueue(server.info), server)),
      await clock(redis),
      ...judgeWorkers(workers, environment),
    ];
  }).catch((error: unknown) => [
    fail('queue: connection', reasonOf(error), 'start it, or set REDIS_URL; nothing works without it'),
  ]);

  const cache = await withRedis(environment, cacheUrl ?? queueUrl, async (redis) => [
    ok('cache: connection', hostsOf(cacheUrl ?? queueUrl)),
    ...(await infoOf(redis)).flatMap((server) => named(judgeCache(server.info, queueInfos), server)),
  ]).catch((error: unknown) => [
    warn(
      'cache: connection',
      reasonOf(error),
      'start it, or set EMBED_CACHE_REDIS_URL; until then all is computed anew',
    ),
  ]);
  return [...queue, ...cache];
}

interface Server {
  readonly info: RedisInfo;
  /** `HOST:PORT`; null when there is only one server. */
  readonly address: string | null;
}

async function infoOf(redis: RedisClient): Promise<Server[]> {
  const servers = serversOf(redis);
  return Promise.all(
    servers.map(async (server) => ({
      info: parseRedisInfo(await server.info()),
      address: servers.length === 1 ? null : `${server.options.host}:${server.options.port}`,
    })),
  );
}

function named(checks: readonly Check[], { address }: Server): Check[] {
  return checks.map((check) => (address === null ? check : { ...check, name: `${check.name}, ${address}` }));
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
