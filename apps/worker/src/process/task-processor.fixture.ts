import { randomUUID } from 'node:crypto';
import { embed, Keys, OPERATIONS, rowsOfFloats, TASK_FORMAT } from '#contracts';
import type { JobTask, ModelCard, ModelTexts, RequestTask, Spec } from '#contracts';
import { Engine } from '#inference';
import { SimulatedDevice, simulatedValues } from '#inference/testing';
import {
  cacheKeyOf,
  CancellationListener,
  Cancellations,
  connectRedis,
  JobIndex,
  JobLedger,
  RedisCache,
  RedisResults,
  Replies,
  ReplyInbox,
} from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { LiveTasks } from './live-tasks.js';
import { TaskProcessor } from './task-processor.js';

export const DIMENSIONS = 4;
/** The simulated device cannot compute it. */
export const POISON = 'poison';
export const spec: Spec = { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' };
export const card: ModelCard = {
  name: 'simulated',
  fingerprint: spec.fingerprint,
  source: 'test',
  dtype: 'fp32',
  maxTokens: 64,
  prompts: {},
  operations: { embed: { dimensions: DIMENSIONS, pooling: 'mean', normalize: true, matryoshka: [] } },
  createdAt: 0,
};
export const keys = new Keys('test');

export interface ProcessorOptions {
  /** Every batch is held back until the gate is opened. */
  readonly shut?: boolean;
  /** Given to every batch in place of values. */
  readonly fault?: () => Error | undefined;
  readonly cache?: RedisCache;
}

/** A real Redis with the stores on it, and task processors whose real engine has a simulated device. */
export class ProcessorBench {
  readonly apiId = randomUUID();
  readonly live = new LiveTasks();
  readonly redis;
  readonly jobs;
  readonly results;
  readonly cancellations;
  readonly inbox;
  readonly url: string;
  readonly #server;
  readonly #subscriber;
  readonly #cache;
  readonly #engines: Engine[] = [];

  private constructor(server: Awaited<ReturnType<typeof startRedis>>) {
    this.#server = server;
    this.url = server.url;
    this.redis = connectRedis(server.url, 'worker', 'test');
    this.#subscriber = connectRedis(server.url, 'subscriber', 'test');
    this.#cache = connectRedis(server.url, 'cache', 'test');
    this.inbox = new ReplyInbox(this.#subscriber, this.redis, keys, this.apiId);
    this.results = new RedisResults(this.redis, keys);
    this.jobs = new JobLedger(this.redis, keys, new JobIndex(this.redis, keys), this.results, { ttlSeconds: 600 });
    this.cancellations = new Cancellations(this.redis, keys);
    new CancellationListener(this.#subscriber, keys).onCancel((cancellation) => this.live.cancel(cancellation));
  }

  static async start(): Promise<ProcessorBench> {
    const bench = new ProcessorBench(await startRedis());
    await until('the cache is connected', () => bench.#cache.status === 'ready');
    return bench;
  }

  /** Forgets everything and ends the engines, for the next test. */
  async clear(): Promise<void> {
    await Promise.all(this.#engines.splice(0).map((engine) => engine.close({ deadlineMs: 0 })));
    await this.redis.flushall();
  }

  async stop(): Promise<void> {
    this.inbox.close();
    for (const connection of [this.redis, this.#subscriber, this.#cache]) connection.disconnect();
    await this.#server.stop();
  }

  processor(options: ProcessorOptions = {}) {
    const gate = new Gate(options.shut ?? false);
    const device = new SimulatedDevice({
      width: DIMENSIONS,
      batchMs: 0,
      tokenMs: 0,
      sleep: () => gate.pass(),
      fault: (batch) =>
        options.fault?.() ?? (batch.ids.includes(idOf(POISON)) ? new Error('cannot compute') : undefined),
    });
    const tokenizer = {
      encode: (inputs: readonly ModelTexts[]) =>
        Promise.resolve(
          inputs.map(([text]) => ({ ids: Int32Array.of(idOf(text)), types: null, length: 1, truncated: false })),
        ),
      close: () => Promise.resolve(),
    };
    const limits = { maxTokens: 64, tokenBudget: 64, maxRows: 8, lookaheadTexts: 64, bulkShare: 0.2 };
    const engine = new Engine({ tokenizer, device, ...limits });
    this.#engines.push(engine);
    const handedIn = new Set<string>();
    const counts = { hits: 0, misses: 0, dropped: 0, deadLettered: 0 };
    const processor = new TaskProcessor({
      card,
      operations: OPERATIONS,
      engine: {
        run: (inputs, runOptions) => {
          for (const [text] of inputs) handedIn.add(text);
          return engine.run(inputs, runOptions);
        },
      },
      keys,
      cache: options.cache ?? new RedisCache(this.#cache),
      jobs: this.jobs,
      replies: new Replies(this.redis, keys),
      cancellations: this.cancellations,
      live: this.live,
      count: {
        lookups: (hits, misses) => {
          counts.hits += hits;
          counts.misses += misses;
        },
        dropped: (texts) => {
          counts.dropped += texts;
        },
        deadLettered: (texts) => {
          counts.deadLettered += texts;
        },
      },
    });
    return { processor, engine, gate, handedIn, counts };
  }

  /** A job whose upload has ended. */
  async acceptJob(texts: number, of: Spec = spec): Promise<string> {
    const id = randomUUID();
    const output = { dimensions: null, normalize: true };
    await this.jobs.create({
      id,
      model: card.name,
      spec: of,
      rowBytes: rowsOfFloats(DIMENSIONS),
      output,
      lane: 'bulk',
      tenant: '',
      keyId: null,
    });
    await this.jobs.accept(id, texts);
    await this.jobs.seal(id);
    return id;
  }

  requestTask(inputs: string[]): RequestTask {
    const acceptedAt = Date.now();
    const deadlineAt = acceptedAt + 60_000;
    return {
      kind: 'request',
      v: TASK_FORMAT,
      model: card.name,
      spec,
      inputs,
      acceptedAt,
      apiId: this.apiId,
      deadlineAt,
    };
  }
}

/** Lets batches through once it is open. */
class Gate {
  waiting = 0;
  open!: () => void;
  readonly #opened: Promise<void>;

  constructor(shut: boolean) {
    this.#opened = new Promise((resolve) => {
      this.open = resolve;
    });
    if (!shut) this.open();
  }

  async pass(): Promise<void> {
    this.waiting++;
    await this.#opened;
    this.waiting--;
  }
}

/** @param positions text -> where it stands in the job's input */
export function jobTask(jobId: string, unit: number, positions: Record<string, number[]>): JobTask {
  return {
    kind: 'job',
    v: TASK_FORMAT,
    model: card.name,
    spec,
    inputs: Object.keys(positions),
    acceptedAt: Date.now(),
    jobId,
    unit,
    positions: Object.values(positions),
  };
}

/** What the simulated device makes of a text. */
export function floatsOf(text: string): Float32Array {
  return simulatedValues(Int32Array.of(idOf(text)), DIMENSIONS);
}

export const cacheKey = cacheKeyOf(keys, embed, spec);

function idOf(text: string): number {
  return parseInt(text.slice(0, 5), 36);
}
