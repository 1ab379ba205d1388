import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quickApi, type QuickApiOptions, quickWorker, type QuickWorkerOptions } from './quick.js';
import { makeBertModel } from './random-model.js';
import type { RandomModelOptions } from './random-model.js';
import { startRedis } from './redis.js';
import type { RedisServer } from './redis.js';
import { startApi, startWorker } from './services.js';
import type { Service, ServiceEnvironment } from './services.js';

/** The name under which a deployment serves its model. */
export const MODEL = 'small';

/**
 * A real deployment on loopback ports: a queue Redis with AOF, a cache Redis, a random model, and as many API and worker
 * processes as a test starts. Leases and heartbeats are short, so that lost work and lost workers are found soon.
 */
export class Deployment {
  readonly queue: RedisServer;
  readonly cache: RedisServer;
  readonly environment: ServiceEnvironment;
  readonly #folder: string;
  readonly #services: Service[] = [];

  private constructor(queue: RedisServer, cache: RedisServer, folder: string) {
    this.queue = queue;
    this.cache = cache;
    this.#folder = folder;
    this.environment = {
      REDIS_URL: queue.url,
      EMBED_CACHE_REDIS_URL: cache.url,
      EMBED_MODELS: `${MODEL}=${folder}`,
      EMBED_MODEL_DIR: join(folder, 'compiled'),
      EMBED_LOCK_MS: '1000',
    };
  }

  static async start(model: RandomModelOptions = {}): Promise<Deployment> {
    const folder = await mkdtemp(join(tmpdir(), 'embedmill-'));
    await makeBertModel(folder, model);
    const [queue, cache] = await Promise.all([
      startRedis({ aof: true }),
      startRedis({ args: ['--maxmemory-policy', 'allkeys-lfu', '--maxmemory', '256mb'] }),
    ]);
    return new Deployment(queue, cache, folder);
  }

  /** @param options absent: the product's entry itself */
  async api(changes: ServiceEnvironment = {}, options?: QuickApiOptions): Promise<Service> {
    const standIn = options === undefined ? {} : { standIn: quickApi(options) };
    return this.#started(await startApi({ ...this.environment, ...changes }, standIn));
  }

  async worker(changes: ServiceEnvironment = {}, options: QuickWorkerOptions = {}): Promise<Service> {
    const standIn = quickWorker(options);
    return this.#started(await startWorker({ ...this.environment, ...changes }, { standIn }));
  }

  /** Ends everything that is still up, and removes its files. */
  async stop(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.kill()));
    await Promise.all([this.queue.stop(), this.cache.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  #started(service: Service): Service {
    this.#services.push(service);
    return service;
  }
}
