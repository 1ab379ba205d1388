import { startRedis, type RedisServer } from '../../test/support/redis.js';
import { startApi, startWorker } from '../../test/support/services.js';
import type { Service, ServiceEnvironment } from '../../test/support/services.js';
import type { BenchContext } from './suite.js';

/** A running deployment: two Redis servers, one API and some workers, each in its own process. */
export interface Deployment {
  /** URL of the API. */
  readonly url: string;
  readonly api: Service;
  readonly workers: readonly Service[];
  readonly queue: RedisServer;
  readonly cache: RedisServer;
  stop(): Promise<void>;
}

export interface DeploymentOptions {
  readonly dtype?: 'fp32' | 'int8';
  readonly workers?: number;
  /** Threads of each worker. */
  readonly threads?: number;
  /** Overrides the other settings. */
  readonly environment?: ServiceEnvironment;
}

/** Starts all processes, with empty caches. Serves the default model with the product's default settings. */
export async function startDeployment(context: BenchContext, options: DeploymentOptions = {}): Promise<Deployment> {
  const { dtype = 'fp32', workers = 1, threads = context.threads } = options;
  await context.model(dtype);
  const queue = await startRedis({ aof: true });
  const cache = await startRedis({ args: ['--maxmemory', '2gb', '--maxmemory-policy', 'allkeys-lfu'] });
  const settings = {
    LOG_LEVEL: 'warn',
    EMBED_MODELS: `${context.served.name}=${context.served.source}`,
    EMBED_MODEL_DIR: context.modelDir,
    EMBED_DTYPE: dtype,
    EMBED_THREADS: String(threads),
    ...options.environment,
    REDIS_URL: queue.url,
    EMBED_CACHE_REDIS_URL: cache.url,
  };
  const api = await startApi(settings);
  const services: Service[] = [];
  for (let n = 0; n < workers; n++) services.push(await startWorker(settings, { patienceMs: 300_000 }));
  return {
    url: api.url,
    api,
    workers: services,
    queue,
    cache,
    async stop() {
      await Promise.all([api, ...services].map((service) => service.stop()));
      await Promise.all([queue.stop(), cache.stop()]);
    },
  };
}
