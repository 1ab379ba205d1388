import { randomUUID } from 'node:crypto';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { cacheTtlSeconds, type Environment, Keys } from '#contracts';
import {
  Aborts,
  awaitRedis,
  connectRedis,
  FailedTexts,
  FinishedJobs,
  HistoryReader,
  HistoryRecorder,
  JobInspection,
  JobStore,
  MemoryCache,
  ModelRegistry,
  RedisCache,
  readRedisTls,
  ReplyInbox,
  TieredCache,
  WorkerRegistry,
} from '#store';
import type { FastifyBaseLogger } from 'fastify';
import { ApiMetrics } from './metrics/api-metrics.js';

/** This process's Redis connections. */
export class Connections {
  /** Fails at once while Redis is away: clients are told. */
  readonly command: Redis;
  readonly subscriber: Redis;
  readonly cache: Redis;

  constructor(environment: Environment, log: FastifyBaseLogger) {
    const tls = readRedisTls(environment);
    const outage = (redis: string) => (error: Error) => log.warn({ redis, err: error }, 'Redis is away');
    const cacheUrl = environment.EMBED_CACHE_REDIS_URL ?? environment.REDIS_URL;
    this.command = connectRedis(environment.REDIS_URL, 'command', 'embedmill-api', { tls, onOutage: outage('queue') });
    this.subscriber = connectRedis(environment.REDIS_URL, 'subscriber', 'embedmill-api-news', { tls });
    this.cache = connectRedis(cacheUrl, 'cache', 'embedmill-api-cache', { tls, onOutage: outage('cache') });
  }

  /** @throws BootError when the queue Redis does not answer in time. The cache may stay away. */
  ready(patienceMs: number): Promise<void> {
    return awaitRedis(this.command, patienceMs);
  }

  close(): void {
    for (const redis of [this.command, this.subscriber, this.cache]) redis.disconnect();
  }
}

/** The id of this API process: replies to its tasks come by it. */
export class ApiId {
  readonly value = randomUUID();
}

/** Connections, and everything of the store that stands on them. */
@Module({})
export class RedisModule {
  static for(environment: Environment, log: FastifyBaseLogger): DynamicModule {
    const keys = new Keys(environment.EMBED_KEY_PREFIX);
    const providers = [
      { provide: Keys, useValue: keys },
      { provide: ApiId, useFactory: () => new ApiId() },
      { provide: Connections, useFactory: () => new Connections(environment, log) },
      {
        provide: HistoryRecorder,
        useFactory: ({ command }: Connections) => new HistoryRecorder(command, keys),
        inject: [Connections],
      },
      {
        provide: HistoryReader,
        useFactory: ({ command }: Connections) => new HistoryReader(command, keys),
        inject: [Connections],
      },
      {
        provide: ApiMetrics,
        useFactory: (history: HistoryRecorder) => new ApiMetrics(history),
        inject: [HistoryRecorder],
      },
      {
        provide: FailedTexts,
        useFactory: ({ command }: Connections) => new FailedTexts(command, keys),
        inject: [Connections],
      },
      {
        provide: JobInspection,
        useFactory: ({ command }: Connections) => new JobInspection(command, keys),
        inject: [Connections],
      },
      {
        provide: JobStore,
        useFactory: ({ command }: Connections) =>
          new JobStore(command, keys, { ttlSeconds: environment.EMBED_JOB_TTL_SECONDS }),
        inject: [Connections],
      },
      { provide: Aborts, useFactory: ({ command }: Connections) => new Aborts(command, keys), inject: [Connections] },
      {
        provide: FinishedJobs,
        useFactory: ({ subscriber }: Connections) => new FinishedJobs(subscriber, keys),
        inject: [Connections],
      },
      {
        provide: ReplyInbox,
        useFactory: ({ command, subscriber }: Connections, id: ApiId) =>
          new ReplyInbox(subscriber, command, keys, id.value),
        inject: [Connections, ApiId],
      },
      {
        provide: WorkerRegistry,
        useFactory: ({ command }: Connections) => new WorkerRegistry(command, keys),
        inject: [Connections],
      },
      {
        provide: ModelRegistry,
        useFactory: ({ command }: Connections) => new ModelRegistry(command, keys),
        inject: [Connections],
      },
      { provide: MemoryCache, useFactory: () => new MemoryCache(environment.EMBED_LRU_BYTES) },
      {
        provide: RedisCache,
        useFactory: ({ cache }: Connections, metrics: ApiMetrics) =>
          new RedisCache(cache, { onError: () => metrics.cacheFailed(), ttlSeconds: cacheTtlSeconds(environment) }),
        inject: [Connections, ApiMetrics],
      },
      {
        provide: TieredCache,
        useFactory: (near: MemoryCache, far: RedisCache) => new TieredCache(near, far),
        inject: [MemoryCache, RedisCache],
      },
    ];
    return { module: RedisModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
