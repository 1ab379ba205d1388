import { cacheTtlSeconds, type Environment } from '#config';
import { awaitRedis, connectRedis, readRedisTls, type RedisClient } from '#store';
import type { FastifyBaseLogger } from 'fastify';

/** This process's Redis connections. */
export class Connections {
  /** Fails at once while Redis is away: clients are told. */
  readonly command: RedisClient;
  readonly subscriber: RedisClient;
  readonly cache: RedisClient;
  /** How long cache entries live, s; null for as long as Redis likes. */
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

  /** @throws BootError when the queue Redis does not answer in time. The cache may stay away. */
  ready(patienceMs: number): Promise<void> {
    return awaitRedis(this.command, patienceMs);
  }

  close(): void {
    for (const redis of [this.command, this.subscriber, this.cache]) redis.disconnect();
  }
}
