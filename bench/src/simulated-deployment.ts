import { fileURLToPath } from 'node:url';
import { startRedis } from '../../test/support/redis.js';
import { startApi, startWorker, type ServiceEnvironment } from '../../test/support/services.js';
import { until } from '../../test/support/until.js';
import type { Deployment } from './deployment.js';
import type { SimulatedModelOptions } from './simulated-models.js';
import { saysWorkers, type SimulatedWorkersOptions } from './simulated-workers-options.js';
import type { BenchContext } from './suite.js';

const ENTRY = fileURLToPath(new URL('./simulated-workers.js', import.meta.url));

export interface SimulatedDeploymentOptions extends SimulatedModelOptions {
  /** Number of workers in the first process. */
  readonly workers: number;
  /** Overrides the other settings. */
  readonly environment?: ServiceEnvironment;
}

/** A deployment whose number of workers can be doubled. */
export interface SimulatedDeployment extends Deployment {
  /** Doubles the workers, which run in two processes from then on. Running workers are kept, warmed up as they are. */
  double(): Promise<void>;
}

const DOUBLE_MS = 30_000;

/**
 * Starts the product with simulated devices: real Redis servers, a real API, and processes with several workers each
 * (`Deployment.workers` lists the processes).
 */
export async function startSimulated(
  context: BenchContext,
  options: SimulatedDeploymentOptions,
): Promise<SimulatedDeployment> {
  const { workers, environment = {}, ...simulated } = options;
  if (simulated.tokenizer === 'model') await context.model('fp32');
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
  const processOptions: SimulatedWorkersOptions = { workers, ...simulated };
  const standIn = { path: ENTRY, args: [JSON.stringify(processOptions)] };
  const services = [await startWorker(settings, { standIn })];
  let each = workers;
  const double = async () => {
    if (services.length === 1) {
      services.push(await startWorker(settings, { standIn }));
      return;
    }
    each *= 2;
    for (const service of services) service.signal('SIGUSR2');
    const said = () => Promise.resolve(services.every((service) => service.output().includes(saysWorkers(each))));
    await until('the workers double', said, { patienceMs: DOUBLE_MS });
  };
  return {
    url: api.url,
    api,
    workers: services,
    queue,
    cache,
    double,
    async stop() {
      await Promise.all([api, ...services].map((service) => service.stop()));
      await Promise.all([queue.stop(), cache.stop()]);
    },
  };
}
