import { randomUUID } from 'node:crypto';
import { Keys, specHash, textHash } from '#contracts';
import type { EmbeddingSpec, JobTask, ModelCard, RequestTask } from '#contracts';
import { Engine, SimulatedDevice, simulatedVector } from '#inference';
import { AbortListener, Aborts, connectRedis, JobStore, RedisCache, Replies, ReplyInbox } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { LiveTasks } from './live-tasks.js';
import { Mill } from './task-processor.js';

export const DIMENSIONS = 4;
/** The simulated device cannot compute it. */
export const POISON = 'poison';
export const spec: EmbeddingSpec = { fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' };
export const card: ModelCard = {
  name: 'simulated',
  fingerprint: spec.fingerprint,
  source: 'test',
  dtype: 'fp32',
  dimensions: DIMENSIONS,
  maxTokens: 64,
  pooling: 'mean',
  normalize: true,
  prompts: {},
  matryoshka: [],
  createdAt: 0,
};
export const keys = new Keys('test');

export interface MillOptions {
  /** Every batch is held back until the gate is opened. */
  readonly shut?: boolean;
  /** Given to every batch in place of vectors. */
  readonly fault?: () => Error | undefined;
  readonly cache?: RedisCache;
}

/** A real Redis with the stores on it, and mills whose real engine has a simulated device. */
export class MillBench {
  readonly apiId = randomUUID();
  readonly live = new LiveTasks();
  readonly redis;
  readonly jobs;
  readonly aborts;
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
    this.jobs = new JobStore(this.redis, keys, { ttlSeconds: 600 });
    this.aborts = new Aborts(this.redis, keys);
    new AbortListener(this.#subscriber, keys).onAbort((abort) => this.live.abort(abort));
  }

  static async start(): Promise<MillBench> {
    const bench = new MillBench(await startRedis());
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

  mill(options: MillOptions = {}) {
    const gate = new Gate(options.shut ?? false);
    const device = new SimulatedDevice({
      dimensions: DIMENSIONS,
      batchMs: 0,
      tokenMs: 0,
      sleep: () => gate.pass(),
      fault: (batch) =>
        options.fault?.() ?? (batch.ids.includes(idOf(POISON)) ? new Error('cannot compute') : undefined),
    });
    const tokenizer = {
      encode: (texts: readonly string[]) =>
        Promise.resolve(texts.map((text) => ({ ids: Int32Array.of(idOf(text)), length: 1, truncated: false }))),
      close: () => Promise.resolve(),
    };
    const limits = { maxTokens: 64, tokenBudget: 64, maxRows: 8, lookaheadTexts: 64, bulkShare: 0.2 };
    const engine = new Engine({ tokenizer, device, ...limits });
    this.#engines.push(engine);
    const handedIn = new Set<string>();
    const counts = { hits: 0, misses: 0, dropped: 0 };
    const mill = new Mill({
      card,
      engine: {
        embed: (texts, embedOptions) => {
          for (const text of texts) handedIn.add(text);
          return engine.embed(texts, embedOptions);
        },
      },
      keys,
      cache: options.cache ?? new RedisCache(this.#cache),
      jobs: this.jobs,
      replies: new Replies(this.redis, keys),
      aborts: this.aborts,
      live: this.live,
      count: {
        lookups: (hits, misses) => {
          counts.hits += hits;
          counts.misses += misses;
        },
        dropped: (texts) => {
          counts.dropped += texts;
        },
        givenUp: () => {},
      },
    });
    return { mill, engine, gate, handedIn, counts };
  }

  /** A job whose upload has ended. */
  async acceptJob(texts: number): Promise<string> {
    const id = randomUUID();
    const output = { dimensions: null, normalize: true };
    await this.jobs.create({
      id,
      model: card.name,
      spec,
      rowDimensions: DIMENSIONS,
      output,
      lane: 'bulk',
      tenant: '',
      keyId: null,
    });
    await this.jobs.accept(id, texts);
    await this.jobs.seal(id);
    return id;
  }

  requestTask(texts: string[]): RequestTask {
    const acceptedAt = Date.now();
    const { apiId } = this;
    return { kind: 'request', model: card.name, spec, texts, acceptedAt, apiId, deadlineAt: acceptedAt + 60_000 };
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
    model: card.name,
    spec,
    texts: Object.keys(positions),
    acceptedAt: Date.now(),
    jobId,
    unit,
    positions: Object.values(positions),
  };
}

/** What the simulated device makes of a text. */
export function vectorOf(text: string): Float32Array {
  return simulatedVector(Int32Array.of(idOf(text)), DIMENSIONS);
}

export function cacheKey(text: string): string {
  return keys.vector(specHash(spec), textHash(text));
}

function idOf(text: string): number {
  return parseInt(text.slice(0, 5), 36);
}
