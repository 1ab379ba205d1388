import { fileURLToPath } from 'node:url';
import { startRedis } from '../../test/support/redis.js';
import { startApi, startWorker, type Service, type ServiceEnvironment } from '../../test/support/services.js';
import type { Deployment } from './deployment.js';
import type { SimulatedModelOptions } from './simulated-models.js';
import type { SimulatedWorkersOptions } from './simulated-workers.js';
import type { BenchContext } from './suite.js';

const ENTRY = fileURLToPath(new URL('./simulated-workers.js', import.meta.url));

export interface SimulatedDeploymentOptions extends SimulatedModelOptions {
  /** In all. */
  readonly workers: number;
  /** Processes that share them evenly. Default 1. */
  readonly processes?: number;
  /** On top of everything else. */
  readonly environment?: ServiceEnvironment;
}

/**
 * The product with simulated devices: real Redis servers, a real API, and processes of several workers each
 * (`Deployment.workers` has the processes).
 */
export async function startSimulated(context: BenchContext, options: SimulatedDeploymentOptions): Promise<Deployment> {
  const { workers, processes = 1, device, tokenizer, environment = {} } = options;
  if (tokenizer === 'model') await context.model('fp32');
  const queue = await startRedis({ aof: true });
  const cache = await startRedis({ args: ['--maxmemory', '2gb', '--maxmemory-policy', 'allkeys-lfu'] });
  const settings = {
    LOG_LEVEL: 'warn',
    EMBED_MODELS: `${context.served.name}=${context.served.source}`,
    EMBED_MODEL_DIR: context.modelDir,
    ...environment,
    REDIS_URL: queue.url,
    EMBED_CACHE_REDIS_URL: cache.url,
  };
  const api = await startApi(settings);
  const services: Service[] = [];
  for (let n = 0; n < processes; n++) {
    const held = Math.floor(((n + 1) * workers) / processes) - Math.floor((n * workers) / processes);
    const told: SimulatedWorkersOptions = { workers: held, device, tokenizer };
    services.push(await startWorker(settings, { standIn: { path: ENTRY, args: [JSON.stringify(told)] } }));
  }
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
