import type { JobRecord, Keys, TextError } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import type { ResultStore } from '../results/result-store.js';

/** Maximum number of bars that the texts of a job are divided into, and texts sampled per bar. */
const MOST_BARS = 200;
const SAMPLES_PER_BAR = 25;
/** Up to this many failures are sorted by position; beyond it only some are read, in Redis's order. */
const MOST_SORTED = 10_000;

/** Progress of a job along its input. */
export interface JobBars {
  /** Texts per bar; the last bar may have fewer. */
  readonly textsEach: number;
  /** Share of each bar's texts that have a row or an error, 0..1. */
  readonly done: number[];
}

export interface JobFailures {
  readonly failures: { readonly position: number; readonly error: TextError }[];
  readonly hasMore: boolean;
}

/** Reads more detail about a job than its counts, for operators. */
export class JobInspection {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #results: ResultStore;

  constructor(redis: RedisClient, keys: Keys, results: ResultStore) {
    this.#redis = redis;
    this.#keys = keys;
    this.#results = results;
  }

  /** Exact for jobs of up to 5000 texts, else estimated from samples. Reads no rows. */
  async bars(job: Pick<JobRecord, 'id' | 'state' | 'texts' | 'rowBytes'>): Promise<JobBars> {
    const textsEach = Math.max(1, Math.ceil(job.texts / MOST_BARS));
    const bars = Array.from({ length: Math.ceil(job.texts / textsEach) }, (_, bar) => {
      const size = Math.min(textsEach, job.texts - bar * textsEach);
      const samples = Math.min(size, SAMPLES_PER_BAR);
      return Array.from({ length: samples }, (_, n) => bar * textsEach + Math.floor((n * size) / samples));
    });
    if (job.state === 'completed') return { textsEach, done: bars.map(() => 1) };
    const settled = await this.#settled(job, bars.flat());
    return { textsEach, done: bars.map((bar) => bar.filter((at) => settled.has(at)).length / bar.length) };
  }

  /** At most `limit` failures, in order of position; of a job with over 10,000, not necessarily the first ones. */
  async failures(job: Pick<JobRecord, 'id' | 'failed'>, limit: number): Promise<JobFailures> {
    const key = this.#keys.jobErrors(job.id);
    const positions = (await this.#failedPositions(key, job.failed, limit)).sort((a, b) => a - b).slice(0, limit);
    if (positions.length === 0) return { failures: [], hasMore: false };
    const errors = await this.#redis.hmget(key, ...positions.map(String));
    const failures = positions.flatMap((position, n) => {
      const json = errors[n];
      return json === null || json === undefined ? [] : [{ position, error: JSON.parse(json) as TextError }];
    });
    return { failures, hasMore: job.failed > positions.length };
  }

  async #failedPositions(key: string, failed: number, limit: number): Promise<number[]> {
    if (failed <= MOST_SORTED) return (await this.#redis.hkeys(key)).map(Number);
    const [, flat] = await this.#redis.hscan(key, '0', 'COUNT', limit);
    return flat.filter((_, n) => n % 2 === 0).map(Number);
  }

  async #settled(job: Pick<JobRecord, 'id' | 'rowBytes'>, positions: readonly number[]): Promise<Set<number>> {
    const written = await this.#results.written(job, positions);
    const settled = new Set(positions.filter((_, n) => written[n]));
    const rest = positions.filter((_, n) => !written[n]);
    if (rest.length === 0) return settled;
    const errors = await this.#redis.hmget(this.#keys.jobErrors(job.id), ...rest.map(String));
    for (const [n, json] of errors.entries()) if (json !== null) settled.add(rest[n]!);
    return settled;
  }
}
