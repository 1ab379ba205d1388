import { cacheTtlSeconds, type Environment } from '#config';
import { awaitRedis, connectRedis, hostsOf, readRedisTls, type RedisClient, type RedisRole } from '#store';
import type { Log } from './log.js';

/** The Redis connections of this process. They differ in what a command does while Redis is unavailable. */
export class Connections {
  /** Commands fail at once: heartbeats and registries. */
  readonly command: RedisClient;
  /** Commands wait until Redis is back: results must arrive. */
  readonly results: RedisClient;
  /** Subscriptions only; renewed when Redis is back. */
  readonly subscriber: RedisClient;
  /** Commands fail at once: an unavailable cache counts as empty. */
  readonly cache: RedisClient;
  /** Time to live of cache entries, s; null: until Redis evicts them. */
  readonly cacheTtlSeconds: number | null;

  constructor(environment: Environment, log: Log) {
    const tls = readRedisTls(environment);
    const queue = (role: RedisRole, name: string) =>
      connectRedis(environment.REDIS_URL, role, `embedmill-worker-${name}`, {
        tls,
        onOutage: (error) => {
          // All connections break together, so only one of them logs a warning.
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

  /** @throws BootError when the queue Redis does not answer in time. The cache is not required. */
  ready(patienceMs: number): Promise<void> {
    return awaitRedis(this.command, patienceMs);
  }

  close(): void {
    for (const redis of [this.command, this.results, this.subscriber, this.cache]) redis.disconnect();
  }
}

/** Node's Happy Eyeballs reports several failures as an AggregateError without a message. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || error.code || error.name;
}
