import { isFinal, type JobRecord, type JobState, type Keys, type Lane, SLICE_ROWS, type TextError } from '#contracts';
import type { ChainableCommander, Redis } from 'ioredis';
import { encodeFailedText, type FailedPlaces, MOST_FAILED_TEXTS } from './failed-texts.js';
import { type NewJob, newJobFields, readJobFields } from './job-record-codec.js';
import { LuaScript } from './lua-script.js';
import { rowBytes, rowTokens, rowTruncated } from './row-codec.js';
import { type PlacedRow, sliceRuns } from './slice-runs.js';

/** An upload that said nothing for so long has lost its API process. */
const UPLOAD_SILENCE_MS = 60_000;
/** Record ids looked at in one go when listing, and at most for one page. */
const LIST_CHUNK = 100;
const LIST_SCAN = 5000;
/** Of the oldest jobs, looked at whenever one is created: more than one, so that expired ones grow fewer. */
const PRUNED_AT_ONCE = 4;
/** Keys of one pipeline that renews them. */
const RENEW_CHUNK = 1000;

const scripts = {
  accept: new LuaScript('accept'),
  acknowledge: new LuaScript('acknowledge'),
  retry: new LuaScript('retry'),
  seal: new LuaScript('seal'),
  stop: new LuaScript('stop'),
};

export interface JobStoreOptions {
  /** How long a job and its results are kept after its last change. */
  readonly ttlSeconds: number;
}

/** The outcome of one unit of a job's work: a task's, or texts that needed no task. */
export interface Acknowledgement {
  readonly jobId: string;
  /** Counted once, however often it is acknowledged. */
  readonly unit: number;
  /** Whether the rows come from the cache: they count as `cached` and not for the rate. */
  readonly cached: boolean;
  readonly rowDimensions: number;
  /** Each position at most once in rows and errors together. */
  readonly rows: readonly PlacedRow[];
  readonly errors: readonly { readonly position: number; readonly error: TextError }[];
  /** Those of the texts with an error that may be tried again. Default: none. */
  readonly failedTexts?: readonly FailedPlaces[];
}

export interface AckResult {
  /** False when the unit had been counted before, or the job takes nothing any more. */
  readonly counted: boolean;
  /** null when there is no such job. */
  readonly state: JobState | null;
}

/** Texts of a model's unfinished jobs in one lane that are not accounted for. */
export interface ActiveTexts {
  readonly model: string;
  readonly lane: Lane;
  jobs: number;
  texts: number;
  /** The same by API key; `''` for jobs that came without one. */
  readonly byKey: Map<string, number>;
}

/** A unit of work whose failed texts are tried again. */
export interface RetriedUnit {
  readonly unit: number;
  /** Of the job: a text that stands in it twice counts twice. */
  readonly texts: number;
}

export interface JobFilter {
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
  readonly state?: JobState | undefined;
  readonly model?: string | undefined;
  /** Id of the API key that it came with. */
  readonly keyId?: string | undefined;
  /** Part of its id. */
  readonly idPart?: string | undefined;
  /** `''` or absent: jobs of all tenants. */
  readonly tenant?: string;
}

/**
 * The job store keeps jobs, their counters, results and errors in Redis. Counters move in Lua, one call for each unit
 * of work, so that they are exact however often a task runs.
 */
export class JobStore {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #ttlMs: number;

  constructor(redis: Redis, keys: Keys, { ttlSeconds }: JobStoreOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#ttlMs = ttlSeconds * 1000;
  }

  /** Creates the record in state `receiving`. */
  async create(job: NewJob): Promise<void> {
    const key = this.#keys.job(job.id);
    const now = Date.now();
    // The record first: whoever finds an id without one takes it for expired.
    const listing = this.#redis
      .pipeline()
      .hset(key, newJobFields(job, now, this.#ttlMs))
      .pexpire(key, this.#ttlMs)
      .zadd(this.#keys.activeJobs(), now, job.id);
    const lists = new Set([this.#keys.jobs(), this.#keys.jobs(job.tenant)]);
    for (const list of lists) listing.zadd(list, now, job.id);
    await run(listing);
    for (const list of lists) await this.#prune(list, now);
  }

  /**
   * Adds texts to a job whose upload is under way, before their tasks are enqueued; 0 says that the upload lives.
   * @param units of work that the texts are put into
   * @returns the state: a final one means that the job takes no more. `failed` when there is no such job.
   */
  async accept(id: string, texts: number, units = 0): Promise<JobState> {
    const [state, renew] = (await scripts.accept.run(
      this.#redis,
      [this.#keys.job(id)],
      [texts, units, this.#ttlMs],
    )) as [JobState | null, number];
    await this.#settle(id, null, renew);
    return state ?? 'failed';
  }

  /** Stores and counts one unit of work. Safe to repeat: see `lua/acknowledge.lua`. */
  async acknowledge(acknowledgement: Acknowledgement): Promise<AckResult> {
    const { jobId, unit, cached, rowDimensions, rows, errors, failedTexts = [] } = acknowledgement;
    const runs = sliceRuns(rows, rowBytes(rowDimensions));
    const keys = [this.#keys.job(jobId), ...this.#keysBeside(jobId)];
    const keyOfSlice = new Map<number, number>();
    const args: (string | number | Buffer)[] = [];
    for (const { slice, byteOffset, bytes } of runs) {
      let key = keyOfSlice.get(slice);
      if (key === undefined) keyOfSlice.set(slice, (key = keys.push(this.#keys.jobSlice(jobId, slice))));
      args.push(key, byteOffset, bytes);
    }
    for (const { position, error } of errors) args.push(position, JSON.stringify(error));
    for (const failed of failedTexts)
      args.push(failed.positions[0]!, failed.positions.length, encodeFailedText(failed));
    let tokens = 0;
    let truncated = 0;
    for (const { row } of rows) {
      tokens += rowTokens(row);
      truncated += Number(rowTruncated(row));
    }
    const [counted, state, renew] = (await scripts.acknowledge.run(this.#redis, keys, [
      jobId,
      unit,
      cached ? '1' : '0',
      rows.length,
      tokens,
      truncated,
      errors.length,
      this.#ttlMs,
      this.#keys.finishedJobs(),
      runs.length,
      failedTexts.length,
      MOST_FAILED_TEXTS,
      ...args,
    ])) as [number, JobState | null, number];
    await this.#settle(jobId, state, renew);
    return { counted: counted === 1, state };
  }

  /**
   * Makes failed texts unfinished again, as one new unit of work, which is the caller's to enqueue. A text that somebody
   * else took is left out.
   * @param firstPositions of texts, which tell them apart
   * @returns the new unit; null when none of these texts is left
   */
  async retry(
    job: Pick<JobRecord, 'id' | 'createdAt'>,
    firstPositions: readonly number[],
  ): Promise<RetriedUnit | null> {
    const { id, createdAt } = job;
    const [, ...keysBeside] = this.#keysBeside(id);
    const keys = [this.#keys.job(id), ...keysBeside];
    const args = [this.#ttlMs, ...firstPositions];
    const [state, unit, renew, texts] = (await scripts.retry.run(this.#redis, keys, args)) as [
      state: JobState | null,
      unit: number,
      renew: number,
      texts: number,
    ];
    if (unit < 0) return null;
    // It had left the active ones when it was completed.
    await this.#redis.zadd(this.#keys.activeJobs(), createdAt, id);
    await this.#settle(id, state, renew);
    return { unit, texts };
  }

  /** Whether a unit of a job is counted. */
  async acknowledged(id: string, unit: number): Promise<boolean> {
    return (await this.#redis.getbit(this.#keys.jobAcks(id), unit)) === 1;
  }

  /** Ends the upload. @returns the state now. `failed` when there is no such job. */
  async seal(id: string): Promise<JobState> {
    const [state, renew] = (await scripts.seal.run(
      this.#redis,
      [this.#keys.job(id)],
      [id, this.#ttlMs, this.#keys.finishedJobs()],
    )) as [JobState | null, number];
    await this.#settle(id, state, renew);
    return state ?? 'failed';
  }

  /** @returns the state now: what it was if it was final already, or null when there is no such job */
  fail(id: string, error: { code: string; message: string }): Promise<JobState | null> {
    return this.#stop(id, 'failed', JSON.stringify(error), '');
  }

  /** @returns the state now: what it was if it was final already, or null when there is no such job */
  cancel(id: string): Promise<JobState | null> {
    return this.#stop(id, 'cancelled', '', '');
  }

  /** null when there is no such job. */
  async state(id: string): Promise<JobState | null> {
    return (await this.#redis.hget(this.#keys.job(id), 'state')) as JobState | null;
  }

  /** null when there is no such job, or no more. An upload whose API process died is found out here. */
  async get(id: string): Promise<JobRecord | null> {
    const fields = await this.#redis.hgetall(this.#keys.job(id));
    const job = readJobFields(fields);
    const heardAt = Number(fields['heardAt'] ?? Infinity);
    if (job?.state !== 'receiving' || heardAt > Date.now() - UPLOAD_SILENCE_MS) return job;
    const message = `The upload broke off after ${job.texts} texts: its API process has gone. Send the job again.`;
    await this.#stop(id, 'failed', JSON.stringify({ code: 'upload_aborted', message }), String(heardAt));
    return readJobFields(await this.#redis.hgetall(this.#keys.job(id)));
  }

  /** Newest first. A page may be short, or empty, with a `nextCursor` all the same, when a filter leaves little. */
  async list({
    cursor,
    limit,
    tenant,
    ...filter
  }: JobFilter): Promise<{ jobs: JobRecord[]; nextCursor: string | null }> {
    const jobs: JobRecord[] = [];
    const list = this.#keys.jobs(tenant);
    let [score, after] = splitCursor(cursor);
    for (let seen = 0; seen < LIST_SCAN; seen += LIST_CHUNK) {
      const entries = await this.#redis.zrange(
        list,
        score,
        '-inf',
        'BYSCORE',
        'REV',
        'LIMIT',
        0,
        LIST_CHUNK,
        'WITHSCORES',
      );
      const ids = pairs(entries).filter(([id, at]) => after === null || at < Number(score) || id < after);
      const last = ids.at(-1);
      const wanted = ids.filter(([id]) => id.includes(filter.idPart ?? ''));
      const records = await Promise.all(wanted.map(([id]) => this.get(id)));
      const gone = wanted.filter((_, index) => records[index] === null).map(([id]) => id);
      if (gone.length > 0) await this.#forget(list, gone);
      for (const [index, [id, at]] of wanted.entries()) {
        const job = records[index];
        if (!job || !matches(job, filter)) continue;
        jobs.push(job);
        if (jobs.length === limit) return { jobs, nextCursor: `${at}:${id}` };
      }
      if (last !== undefined) [after, score] = [last[0], String(last[1])];
      if (pairs(entries).length < LIST_CHUNK) return { jobs, nextCursor: null };
    }
    return { jobs, nextCursor: `${score}:${after}` };
  }

  /**
   * Rows of positions `[from, from + count)` as they are stored, null where there is none (yet), and the errors among
   * those by position. Rows are views on whole slices: copy what is kept.
   */
  async rawRows(
    job: Pick<JobRecord, 'id' | 'rowDimensions' | 'failed'>,
    from: number,
    count: number,
  ): Promise<{ rows: (Buffer | null)[]; errors: Map<number, TextError> }> {
    if (count <= 0) return { rows: [], errors: new Map() };
    const size = rowBytes(job.rowDimensions);
    const first = Math.floor(from / SLICE_ROWS);
    const last = Math.floor((from + count - 1) / SLICE_ROWS);
    const slices = await Promise.all(
      Array.from({ length: last - first + 1 }, (_, n) => this.#redis.getBuffer(this.#keys.jobSlice(job.id, first + n))),
    );
    const rows = Array.from({ length: count }, (_, n): Buffer | null => {
      const position = from + n;
      const start = (position % SLICE_ROWS) * size;
      const slice = slices[Math.floor(position / SLICE_ROWS) - first];
      if (!slice || slice.length < start + size) return null;
      const row = slice.subarray(start, start + size);
      return rowTokens(row) === 0 ? null : row;
    });
    const errors = new Map<number, TextError>();
    const missing = rows.flatMap((row, n) => (row === null ? [from + n] : []));
    if (missing.length > 0) {
      const found = await this.#redis.hmget(this.#keys.jobErrors(job.id), ...missing.map(String));
      for (const [n, json] of found.entries()) {
        if (json !== null) errors.set(missing[n]!, JSON.parse(json) as TextError);
      }
    }
    return { rows, errors };
  }

  /** Texts accepted and not accounted for, summed over unfinished jobs. */
  async activeTexts(): Promise<ActiveTexts[]> {
    const ids = await this.#redis.zrange(this.#keys.activeJobs(), '0', '-1');
    const records = await Promise.all(
      ids.map((id) =>
        this.#redis.hmget(this.#keys.job(id), 'state', 'model', 'lane', 'texts', 'done', 'failed', 'keyId'),
      ),
    );
    const sums = new Map<string, ActiveTexts>();
    const over: string[] = [];
    for (const [n, [state, model, lane, texts, done, failed, keyId]] of records.entries()) {
      if (!state || !model || isFinal(state as JobState)) {
        over.push(ids[n]!);
        continue;
      }
      const key = `${lane} ${model}`;
      const sum = sums.get(key) ?? { model, lane: lane as Lane, jobs: 0, texts: 0, byKey: new Map<string, number>() };
      sum.jobs++;
      const unfinished = Math.max(0, Number(texts) - Number(done) - Number(failed));
      sum.texts += unfinished;
      sum.byKey.set(keyId ?? '', (sum.byKey.get(keyId ?? '') ?? 0) + unfinished);
      sums.set(key, sum);
    }
    if (over.length > 0) await this.#redis.zrem(this.#keys.activeJobs(), ...over);
    return [...sums.values()];
  }

  async #stop(id: string, state: JobState, error: string, heardAt: string): Promise<JobState | null> {
    const [now, renew] = (await scripts.stop.run(
      this.#redis,
      [this.#keys.job(id)],
      [id, this.#ttlMs, this.#keys.finishedJobs(), state, error, heardAt],
    )) as [JobState | null, number];
    await this.#settle(id, now, renew);
    return now;
  }

  /**
   * What follows a script and is no part of it: a final job leaves the active ones, which stand in another cluster
   * slot, and the slices of `renew` texts, too many to name in a script, live as long as the job does.
   */
  async #settle(id: string, state: JobState | null, renew: number): Promise<void> {
    const final = state !== null && isFinal(state);
    if (!final && renew === 0) return;
    const slices = Math.ceil(renew / SLICE_ROWS);
    try {
      for (let from = 0; from === 0 || from < slices; from += RENEW_CHUNK) {
        const pipeline = this.#redis.pipeline();
        if (from === 0) {
          if (final) pipeline.zrem(this.#keys.activeJobs(), id);
          if (renew > 0) {
            for (const key of this.#keysBeside(id)) pipeline.pexpire(key, this.#ttlMs);
          }
        }
        for (let slice = from; slice < Math.min(slices, from + RENEW_CHUNK); slice++) {
          pipeline.pexpire(this.#keys.jobSlice(id, slice), this.#ttlMs);
        }
        await run(pipeline);
      }
    } catch {
      // What the script did stands. `activeTexts` takes the id out later, and slices are renewed before they must be.
    }
  }

  /** What a job has beside its record and slices. */
  #keysBeside(id: string): [acks: string, errors: string, failedTexts: string, retries: string] {
    const keys = this.#keys;
    return [keys.jobAcks(id), keys.jobErrors(id), keys.jobFailedTexts(id), keys.jobRetries(id)];
  }

  /** Takes a few expired jobs out of the list, so that it does not grow for ever when nobody reads it to its end. */
  async #prune(list: string, now: number): Promise<void> {
    const upTo = String(now - this.#ttlMs);
    const old = await this.#redis.zrange(list, '-inf', upTo, 'BYSCORE', 'LIMIT', 0, PRUNED_AT_ONCE);
    const there = await Promise.all(old.map((id) => this.#redis.exists(this.#keys.job(id))));
    const gone = old.filter((_, n) => there[n] === 0);
    if (gone.length > 0) await this.#forget(list, gone);
  }

  async #forget(list: string, ids: readonly string[]): Promise<void> {
    await run(
      this.#redis
        .pipeline()
        .zrem(list, ...ids)
        .zrem(this.#keys.activeJobs(), ...ids),
    );
  }
}

async function run(pipeline: ChainableCommander): Promise<void> {
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

function matches(job: JobRecord, { state, model, keyId }: Omit<JobFilter, 'cursor' | 'limit'>): boolean {
  return (
    (state === undefined || job.state === state) &&
    (model === undefined || job.model === model) &&
    (keyId === undefined || job.keyId === keyId)
  );
}

function splitCursor(cursor: string | undefined): [score: string, after: string | null] {
  const cut = cursor?.indexOf(':') ?? -1;
  return cursor === undefined || cut < 0 ? ['+inf', null] : [cursor.slice(0, cut), cursor.slice(cut + 1)];
}

/** `WITHSCORES` is a flat list on RESP2 and a list of pairs on RESP3. */
function pairs(entries: readonly (string | readonly [string, string | number])[]): [string, number][] {
  if (Array.isArray(entries[0])) return (entries as [string, string | number][]).map(([id, at]) => [id, Number(at)]);
  return Array.from({ length: entries.length / 2 }, (_, n) => [entries[2 * n] as string, Number(entries[2 * n + 1])]);
}
