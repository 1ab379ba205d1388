import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { cacheTtlSeconds, Keys } from '#contracts';
import type { Environment } from '#contracts';
import {
  AbortListener,
  Aborts,
  ApiKeys,
  Authenticator,
  awaitRedis,
  connectRedis,
  readRedisTls,
  HistoryRecorder,
  JobStore,
  ModelRegistry,
  RedisCache,
  Replies,
  WorkerRegistry,
} from '#store';
import type { RedisRole } from '#store';
import { LOG } from './log.js';
import type { Log } from './log.js';
import { WorkerMetrics } from './metrics.js';

/** This process's Redis connections, by what becomes of a command while Redis is away. */
export class Connections {
  /** Fails at once: heartbeats and registries. */
  readonly command: Redis;
  /** Waits: results must arrive. */
  readonly results: Redis;
  /** Waits; only subscriptions. */
  readonly subscriber: Redis;
  /** Fails at once: a cache that is away is a cache without entries. */
  readonly cache: Redis;

  constructor(environment: Environment, log: Log) {
    const tls = readRedisTls(environment);
    const queue = (role: RedisRole, name: string) =>
      connectRedis(environment.REDIS_URL, role, `embedmill-worker-${name}`, {
        tls,
        onOutage: (error) => {
          // All of them break together; one says so.
          const level = role === 'command' ? 'warn' : 'debug';
          log[level](
            { redis: hostOf(environment.REDIS_URL), connection: name, reason: reasonOf(error) },
            'Redis is away',
          );
        },
      });
    this.command = queue('command', 'registry');
    this.results = queue('worker', 'results');
    this.subscriber = queue('subscriber', 'aborts');
    this.command.on('ready', () => log.info({ redis: hostOf(environment.REDIS_URL) }, 'Redis is there'));
    const cacheUrl = environment.EMBED_CACHE_REDIS_URL ?? environment.REDIS_URL;
    this.cache = connectRedis(cacheUrl, 'cache', 'embedmill-worker-cache', {
      tls,
      onOutage: (error) =>
        log.warn({ redis: hostOf(cacheUrl), reason: reasonOf(error) }, 'the cache is away: texts are computed again'),
    });
  }

  /** @throws BootError when the queue Redis does not answer within `patienceMs`. The cache may stay away. */
  ready(patienceMs: number): Promise<void> {
    return awaitRedis(this.command, patienceMs);
  }

  close(): void {
    for (const redis of [this.command, this.results, this.subscriber, this.cache]) redis.disconnect();
  }
}

/** Connections and everything that stands on them. */
@Module({})
export class RedisModule {
  static for(environment: Environment): DynamicModule {
    const keys = new Keys(environment.EMBED_KEY_PREFIX);
    const providers = [
      {
        provide: Connections,
        useFactory: (log: Log) => new Connections(environment, log),
        inject: [LOG],
      },
      {
        provide: JobStore,
        useFactory: ({ results }: Connections) =>
          new JobStore(results, keys, { ttlSeconds: environment.EMBED_JOB_TTL_SECONDS }),
        inject: [Connections],
      },
      { provide: Replies, useFactory: ({ results }: Connections) => new Replies(results, keys), inject: [Connections] },
      { provide: Aborts, useFactory: ({ results }: Connections) => new Aborts(results, keys), inject: [Connections] },
      {
        provide: AbortListener,
        useFactory: ({ subscriber }: Connections) => new AbortListener(subscriber, keys),
        inject: [Connections],
      },
      {
        provide: WorkerRegistry,
        useFactory: ({ command }: Connections) => new WorkerRegistry(command, keys),
        inject: [Connections],
      },
      {
        provide: Authenticator,
        useFactory: ({ command }: Connections) => new Authenticator(new ApiKeys(command, keys), environment),
        inject: [Connections],
      },
      {
        provide: HistoryRecorder,
        useFactory: ({ command }: Connections) => new HistoryRecorder(command, keys),
        inject: [Connections],
      },
      {
        provide: ModelRegistry,
        useFactory: ({ command }: Connections) => new ModelRegistry(command, keys),
        inject: [Connections],
      },
      {
        provide: RedisCache,
        useFactory: ({ cache }: Connections, metrics: WorkerMetrics) =>
          new RedisCache(cache, {
            onError: () => metrics.cacheFailed(),
            ttlSeconds: cacheTtlSeconds(environment),
          }),
        inject: [Connections, WorkerMetrics],
      },
    ];
    return { module: RedisModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** Without user and password. */
function hostOf(url: string): string {
  return new URL(url).host;
}

/** Happy eyeballs report several failures in an error without a message. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || error.code || error.name;
}
