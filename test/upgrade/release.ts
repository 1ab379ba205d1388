import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type JobObject, jobObjectSchema } from '#contracts';
import { BERT_VOCAB_SIZE, makeBertModel } from '../support/random-model.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { type Service, type ServiceEnvironment, startApi, startWorker } from '../support/services.js';
import type { Caller } from './caller.js';
import { CHANGED, type KeyName, type Name, NAMES, RECORDED, type RecordedJob } from './recording.js';

/** A submitted job: what a recording says of it beside what the API does. */
export type SubmittedJob = Pick<RecordedJob, 'texts' | 'key' | 'inputType'> & { readonly id: string };

/** Texts of one task, unless a process is started with another number. */
export const TASK_TEXTS = 8;

const SHAPE = {
  layers: 1,
  hidden: 16,
  heads: 2,
  maxTokens: 32,
  pooling: 'mean',
  prompts: { query: 'query: ' },
} as const;
// One token of the vocabulary has no row in the embedding table: a text with it fails, and can be retried.
const MODEL = { ...SHAPE, embeddingRows: BERT_VOCAB_SIZE - 1 };

interface ModelFolders {
  /** Part of the recording. */
  readonly kept: string;
  readonly replaced: string;
}

/** A release's own processes on a Redis server that keeps everything in its append-only file. */
export class Release {
  readonly redis: Redis;
  /** By the name of the scenario. */
  readonly submitted: Record<string, SubmittedJob> = {};
  readonly #checkout: string;
  readonly #server: RedisServer;
  readonly #scratch: string;
  readonly #models: ModelFolders;
  readonly #services: Service[] = [];

  private constructor(checkout: string, server: RedisServer, scratch: string, models: ModelFolders) {
    this.#checkout = checkout;
    this.#server = server;
    this.#scratch = scratch;
    this.#models = models;
    this.redis = new Redis(server.url);
  }

  /** @param folder of the recording: the model's files are written there */
  static async start(checkout: string, folder: string): Promise<Release> {
    const scratch = await mkdtemp(join(tmpdir(), 'embedmill-record-'));
    const models = { kept: join(folder, RECORDED.model), replaced: join(scratch, 'replaced') };
    await makeBertModel(models.kept, { ...MODEL, seed: 1 });
    await makeBertModel(models.replaced, { ...MODEL, seed: 2 });
    await mkdir(join(scratch, 'compiled'));
    const server = await startRedis({ aof: true, args: ['--appendfsync', 'always'] });
    return new Release(checkout, server, scratch, models);
  }

  idOf(scenario: string): string {
    return this.#submitted(scenario).id;
  }

  textsOf(scenario: string): readonly string[] {
    return this.#submitted(scenario).texts;
  }

  api(changes: ServiceEnvironment = {}): Promise<Service> {
    return this.#start('api', changes);
  }

  worker(changes: ServiceEnvironment = {}): Promise<Service> {
    return this.#start('worker', changes);
  }

  /** A worker of one model that computes text by text and holds two tasks. */
  slowWorker(model: Name): Promise<Service> {
    const models = this.#sourced(model);
    return this.worker({ EMBED_MODELS: models, EMBED_MAX_BATCH_ROWS: '1', EMBED_LOOKAHEAD_TEXTS: '1' });
  }

  /** Submits a job as JSON. @param options of the request, and the key that the caller has */
  async submit(
    scenario: string,
    caller: Caller,
    model: Name,
    texts: readonly string[],
    { key, ...options }: { key?: KeyName; input_type?: 'query' } & Record<string, unknown> = {},
  ): Promise<JobObject> {
    const job = jobObjectSchema.parse(await caller.json('/v1/jobs', { model, input: texts, ...options }));
    const inputType = options.input_type === undefined ? {} : { inputType: options.input_type };
    this.submitted[scenario] = { id: job.id, texts, key: key ?? null, ...inputType };
    return job;
  }

  /** Submits a job as NDJSON. @param query its options */
  async upload(
    scenario: string,
    caller: Caller,
    model: Name,
    texts: readonly string[],
    query: string,
  ): Promise<JobObject> {
    const body = texts.map((text) => JSON.stringify(text)).join('\n');
    const how = { method: 'POST', body, headers: { 'content-type': 'application/x-ndjson' } };
    const job = jobObjectSchema.parse(await caller.json(`/v1/jobs?model=${model}&${query}`, undefined, how));
    this.submitted[scenario] = { id: job.id, texts, key: null };
    return job;
  }

  /** Tasks that workers hold, or held when they were killed. */
  activeTasks(model: Name): Promise<number> {
    return this.redis.llen(`em:q:{${model}/bulk}:active`);
  }

  /** Kills what still runs, except Redis. */
  async killServices(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.kill()));
  }

  async end(): Promise<void> {
    await this.killServices();
    this.redis.disconnect();
    await this.#server.stop();
    await rm(this.#scratch, { recursive: true });
  }

  async #start(kind: 'api' | 'worker', changes: ServiceEnvironment): Promise<Service> {
    const standIn = { path: join(this.#checkout, `dist/apps/${kind}/src/main.js`), args: [] };
    const environment: ServiceEnvironment = {
      REDIS_URL: this.#server.url,
      EMBED_MODELS: NAMES.map((name) => this.#sourced(name)).join(','),
      EMBED_MODEL_DIR: join(this.#scratch, 'compiled'),
      EMBED_JOB_TTL_SECONDS: '31536000',
      EMBED_TASK_TEXTS: String(TASK_TEXTS),
      EMBED_LOCK_MS: '1500',
      EMBED_STALLED_CHECK_MS: '500',
      EMBED_HEARTBEAT_MS: '500',
      ...changes,
    };
    const service = await (kind === 'api' ? startApi : startWorker)(environment, { standIn });
    this.#services.push(service);
    return service;
  }

  #submitted(scenario: string): SubmittedJob {
    const job = this.submitted[scenario];
    if (job === undefined) throw new Error(`no job was submitted for "${scenario}"`);
    return job;
  }

  #sourced(name: Name): string {
    return `${name}=${CHANGED.includes(name) ? this.#models.replaced : this.#models.kept}`;
  }
}
