import { cacheTtlSeconds, type Environment } from '#config';
import { awaitRedis, connectRedis, readRedisTls, type RedisClient } from '#store';
import type { FastifyBaseLogger } from 'fastify';

/** This process's Redis connections. */
export class Connections {
  /** Commands fail at once while Redis is unavailable, so that clients get an error. */
  readonly command: RedisClient;
  readonly subscriber: RedisClient;
  readonly cache: RedisClient;
  /** Time to live of cache entries, s; null: until Redis evicts them. */
  readonly cacheTtlSeconds: number | null;

  constructor(environment: Environment, log: FastifyBaseLogger) {
    const tls = readRedisTls(environment);
    const outage = (redis: string) => (error: Error) => log.warn({ redis, err: error }, 'Redis is away');
    const cacheUrl = environment.EMBED_CACHE_REDIS_URL ?? environment.REDIS_URL;
    this.command = connectRedis(environment.REDIS_URL, 'command', 'embedmill-api', { tls, onOutage: outage('queue') });
    this.subscriber = connectRedis(environment.REDIS_URL, 'subscriber', 'embedmill-api-news', { tls });
    this.cache = connectRedis(cacheUrl, 'cache', 'embedmill-api-cache', { tls, onOutage: outage('cache') });
    this.cacheTtlSeconds = cacheTtlSeconds(environment);
  }

  /** @throws BootError when the queue Redis does not answer in time. The cache is not required. */
  ready(patienceMs: number): Promise<void> {
    return awaitRedis(this.command, patienceMs);
  }

  close(): void {
    for (const redis of [this.command, this.subscriber, this.cache]) redis.disconnect();
  }
}
