import { Redis } from 'ioredis';
import { Keys } from '#contracts';
import type { Deployment } from './deployment.js';
import { clientOf, finish, readVectors } from './jobs.js';

/** Jobs in progress at any time: enough for uploads, computation and downloads to overlap. */
const CLIENTS = 16;

export interface SteadyLoadOptions {
  readonly deployment: Deployment;
  readonly model: string;
  readonly dimensions: number;
  /** Distinct texts, endless. */
  readonly texts: Iterator<string>;
}

/**
 * A steady load: a number of clients that each upload a job, wait for it, read all its vectors back and start again,
 * until they are stopped. Throughput is read from Redis, as the number of stored vectors.
 */
export class SteadyLoad {
  /** Texts in each job that begins from now on. */
  jobTexts: number;
  readonly #options: SteadyLoadOptions;
  readonly #redis: Redis;
  readonly #keys = new Keys('em');
  readonly #clients: Promise<void>[];
  #stopped = false;
  #failure: Error | undefined;
  #readBack = 0;

  constructor(options: SteadyLoadOptions, jobTexts: number) {
    this.#options = options;
    this.jobTexts = jobTexts;
    this.#redis = new Redis(options.deployment.queue.url);
    this.#clients = Array.from({ length: CLIENTS }, () => this.#client());
  }

  /** Number of texts whose vectors have been read back. */
  get readBack(): number {
    return this.#readBack;
  }

  /** Number of texts whose vectors are stored, including those of unfinished jobs. @throws when a client has failed */
  async stored(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    const ids = await this.#redis.zrange(this.#keys.jobs(), '0', '-1');
    const done = await Promise.all(ids.map((id) => this.#redis.hget(this.#keys.job(id), 'done')));
    return done.reduce((sum, texts) => sum + Number(texts ?? 0), 0);
  }

  /** Starts no further jobs, and kills the deployment without waiting for jobs in progress. */
  async stop(): Promise<void> {
    const { api, workers, queue, cache } = this.#options.deployment;
    this.#stopped = true;
    this.#redis.disconnect();
    await Promise.all([api, ...workers].map((service) => service.kill()));
    await Promise.all(this.#clients);
    await Promise.all([queue.stop(), cache.stop()]);
  }

  async #client(): Promise<void> {
    const { deployment, model, dimensions } = this.#options;
    const client = clientOf(deployment.url);
    try {
      while (!this.#stopped) {
        const input = [...this.#take(this.jobTexts)];
        const job = await finish(client, await client.jobs.create({ model, input }));
        await readVectors(client, job, dimensions);
        this.#readBack += job.counts.texts;
      }
    } catch (error) {
      if (!this.#stopped) this.#failure ??= error as Error;
    }
  }

  *#take(count: number): Generator<string> {
    for (let taken = 0; taken < count; taken++) yield this.#options.texts.next().value as string;
  }
}
