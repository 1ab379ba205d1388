import { cacheTtlSeconds, type Environment } from '#config';
import { awaitRedis, connectRedis, hostsOf, readRedisTls, type RedisClient, type RedisRole } from '#store';
import type { Log } from './operation/log.js';

/** This process's Redis connections, by what becomes of a command while Redis is away. */
export class Connections {
  /** Fails at once: heartbeats and registries. */
  readonly command: RedisClient;
  /** Waits: results must arrive. */
  readonly results: RedisClient;
  /** Waits; only subscriptions. */
  readonly subscriber: RedisClient;
  /** Fails at once: a cache that is away is a cache without entries. */
  readonly cache: RedisClient;
  /** How long cache entries live, s; null for as long as Redis likes. */
  readonly cacheTtlSeconds: number | null;

  constructor(environment: Environment, log: Log) {
    const tls = readRedisTls(environment);
    const queue = (role: RedisRole, name: string) =>
      connectRedis(environment.REDIS_URL, role, `embedmill-worker-${name}`, {
        tls,
        onOutage: (error) => {
          // All of them break together; one says so.
          const level = role === 'command' ? 'warn' : 'debug';
          log[level](
            { redis: hostsOf(environment.REDIS_URL), connection: name, reason: reasonOf(error) },
            'Redis is away',
          );
        },
      });
    this.command = queue('command', 'registry');
    this.results = queue('worker', 'results');
    this.subscriber = queue('subscriber', 'cancellations');
    this.command.on('ready', () => log.info({ redis: hostsOf(environment.REDIS_URL) }, 'Redis is there'));
    const cacheUrl = environment.EMBED_CACHE_REDIS_URL ?? environment.REDIS_URL;
    this.cache = connectRedis(cacheUrl, 'cache', 'embedmill-worker-cache', {
      tls,
      onOutage: (error) =>
        log.warn({ redis: hostsOf(cacheUrl), reason: reasonOf(error) }, 'the cache is away: texts are computed again'),
    });
    this.cacheTtlSeconds = cacheTtlSeconds(environment);
  }

  /** @throws BootError when the queue Redis does not answer in time. The cache may stay away. */
  ready(patienceMs: number): Promise<void> {
    return awaitRedis(this.command, patienceMs);
  }

  close(): void {
    for (const redis of [this.command, this.results, this.subscriber, this.cache]) redis.disconnect();
  }
}

/** Happy eyeballs report several failures in an error without a message. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || error.code || error.name;
}
