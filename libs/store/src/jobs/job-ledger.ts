import {
  isFinal,
  type JobRecord,
  type JobState,
  type Keys,
  type Lane,
  type PlacedInput,
  type RowBytes,
  rowTokens,
  rowTruncated,
  type Spec,
  type TextError,
} from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec } from '../redis/exec.js';
import { script } from '../redis/script.js';
import type { PlacedRow, ResultStore } from '../results/result-store.js';
import { encodeFailedInput, MOST_FAILED_INPUTS } from './failed-inputs.js';
import type { JobIndex } from './job-index.js';
import { type NewJob, newJobFields, readJobFields } from './job-record-codec.js';

/** After this long without a sign of life from an upload, its API process is considered dead. */
const UPLOAD_SILENCE_MS = 60_000;

const lua = (name: string) => script(name, new URL(`./lua/${name}.lua`, import.meta.url));
const scripts = {
  accept: lua('accept'),
  acknowledge: lua('acknowledge'),
  replan: lua('replan'),
  retry: lua('retry'),
  seal: lua('seal'),
  stop: lua('stop'),
};

/** The outcome of one unit of a job's work: of a task, or of inputs that needed no task. */
export interface Acknowledgement {
  readonly jobId: string;
  /** Counted once, however often it is acknowledged. */
  readonly unit: number;
  /** Whether the rows come from the cache: if so they count as `cached` and not toward the rate. */
  readonly cached: boolean;
  /** Fingerprint of the model that computed the rows. */
  readonly fingerprint: string;
  readonly rowBytes: RowBytes;
  /** Rows and errors together must contain each position at most once. */
  readonly rows: readonly PlacedRow[];
  readonly errors: readonly { readonly position: number; readonly error: TextError }[];
  /** Inputs with an error that can be retried. Default: none. */
  readonly failedInputs?: readonly PlacedInput[];
}

export interface AckResult {
  /**
   * `before`: the unit was counted earlier, or the job is final. `other-version`: the rows are of another version of
   * the model than the job's, and nothing was written.
   */
  readonly counted: 'now' | 'before' | 'other-version';
  /** null when there is no such job. */
  readonly state: JobState | null;
}

/** Result of `replan`. `begun`: the job has rows of another version. `over`: it is final, or does not exist. */
export type Replanned = 'replanned' | 'begun' | 'over';

/** Progress of a job. */
export interface JobProgress {
  readonly state: JobState;
  readonly model: string;
  readonly lane: Lane;
  /** `''` for a job that was sent without an API key. */
  readonly keyId: string;
  /** Texts accepted that are neither done nor failed. */
  readonly unfinished: number;
}

/**
 * The job ledger keeps the record of each job: its state, counters and errors. Counters change in Lua scripts, one call
 * per unit of work, so that they stay exact however often a task runs.
 */
export class JobLedger {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #index: JobIndex;
  readonly #results: ResultStore;
  readonly #ttlMs: number;

  /** @param options.ttlSeconds how long a job and its results are kept after its last change */
  constructor(
    redis: RedisClient,
    keys: Keys,
    index: JobIndex,
    results: ResultStore,
    { ttlSeconds }: { ttlSeconds: number },
  ) {
    this.#redis = redis;
    this.#keys = keys;
    this.#index = index;
    this.#results = results;
    this.#ttlMs = ttlSeconds * 1000;
  }

  /** Creates the record in state `receiving`. */
  async create(job: NewJob): Promise<void> {
    const key = this.#keys.job(job.id);
    const now = Date.now();
    const fields = Object.entries(newJobFields(job, now, this.#ttlMs)).flat();
    await exec(this.#redis, [
      ['hset', key, ...fields],
      ['pexpire', key, this.#ttlMs],
    ]);
    await this.#index.add(job.id, job.tenant, now, this.#ttlMs);
  }

  /**
   * Adds texts to a job whose upload is in progress, before their tasks are enqueued; 0 only keeps the upload alive.
   * @param texts number of texts
   * @param units number of units of work for the texts
   * @returns the state: if it is final the job accepts no more. `failed` when there is no such job.
   */
  async accept(id: string, texts: number, units = 0): Promise<JobState> {
    const [state, renew] = (await scripts.accept(this.#redis, [this.#keys.job(id)], [texts, units, this.#ttlMs])) as [
      JobState | null,
      number,
    ];
    await this.#settle(id, null, renew);
    return state ?? 'failed';
  }

  /** Stores and counts one unit of work. Idempotent, see `lua/acknowledge.lua`. */
  async acknowledge(acknowledgement: Acknowledgement): Promise<AckResult> {
    const { jobId, unit, cached, fingerprint, rowBytes, rows, errors, failedInputs = [] } = acknowledgement;
    const writes = await this.#results.stage({ id: jobId, rowBytes }, rows);
    const keys = [this.#keys.job(jobId), ...this.#keysBeside(jobId)];
    const keyNumbers = new Map<string, number>();
    const places = writes.map((write) => {
      let number = keyNumbers.get(write.key);
      if (number === undefined) keyNumbers.set(write.key, (number = keys.push(write.key)));
      return 'offset' in write ? { key: number, offset: write.offset } : { key: number, field: write.field };
    });
    let tokens = 0;
    let truncated = 0;
    for (const { row } of rows) {
      tokens += rowTokens(row);
      truncated += Number(rowTruncated(row));
    }
    const payload = {
      job: jobId,
      unit,
      fingerprint,
      cached,
      rows: rows.length,
      tokens,
      truncated,
      ttl: this.#ttlMs,
      channel: this.#keys.finishedJobs(),
      mostFailed: MOST_FAILED_INPUTS,
      writes: places,
      errors: errors.map(({ position, error }) => [position, JSON.stringify(error)]),
      failed: failedInputs.map((failed) => [failed.positions[0]!, failed.positions.length, encodeFailedInput(failed)]),
    };
    const args = [JSON.stringify(payload), ...writes.map(({ bytes }) => bytes)];
    const [counted, state, renew] = (await scripts.acknowledge(this.#redis, keys, args)) as [
      number,
      JobState | null,
      number,
    ];
    await this.#settle(jobId, state, renew);
    return { counted: counted === 1 ? 'now' : counted === 0 ? 'before' : 'other-version', state };
  }

  /**
   * Switches a job to another version of its model, if it has no rows yet: rows of two versions never mix. Idempotent.
   */
  async replan(id: string, to: Spec, rowBytes: RowBytes): Promise<Replanned> {
    const args = [to.fingerprint, JSON.stringify(to), JSON.stringify(rowBytes)];
    return (await scripts.replan(this.#redis, [this.#keys.job(id)], args)) as Replanned;
  }

  /**
   * Makes failed inputs unfinished again, as one new unit of work, which the caller must enqueue. Inputs that another
   * retry has already taken are left out.
   * @param firstPositions the first position of each input, which identifies it
   * @returns the new unit and its number of texts; null when all of these inputs were taken already
   */
  async retry(
    job: Pick<JobRecord, 'id' | 'createdAt'>,
    firstPositions: readonly number[],
  ): Promise<{ readonly unit: number; readonly texts: number } | null> {
    const { id, createdAt } = job;
    const [, ...keysBeside] = this.#keysBeside(id);
    const keys = [this.#keys.job(id), ...keysBeside];
    const [state, unit, texts, renew] = (await scripts.retry(this.#redis, keys, [this.#ttlMs, ...firstPositions])) as [
      JobState | null,
      number,
      number,
      number,
    ];
    if (unit < 0) return null;
    // It was removed from the unfinished jobs when it was completed.
    await this.#index.enterActive(id, createdAt);
    await this.#settle(id, state, renew);
    return { unit, texts };
  }

  /** Whether a unit of a job was acknowledged. */
  async acknowledged(id: string, unit: number): Promise<boolean> {
    return (await this.#redis.getbit(this.#keys.jobAcks(id), unit)) === 1;
  }

  /** Ends the upload. @returns the new state; `failed` when there is no such job */
  async seal(id: string): Promise<JobState> {
    const [state, renew] = (await scripts.seal(
      this.#redis,
      [this.#keys.job(id)],
      [id, this.#ttlMs, this.#keys.finishedJobs()],
    )) as [JobState | null, number];
    await this.#settle(id, state, renew);
    return state ?? 'failed';
  }

  /** Fails an unfinished job. @returns the state afterwards; null when there is no such job */
  fail(id: string, error: { code: string; message: string }): Promise<JobState | null> {
    return this.#stop(id, 'failed', JSON.stringify(error), '');
  }

  /** Cancels an unfinished job. @returns the state afterwards; null when there is no such job */
  cancel(id: string): Promise<JobState | null> {
    return this.#stop(id, 'cancelled', '', '');
  }

  /** null when there is no such job. */
  async state(id: string): Promise<JobState | null> {
    return (await this.#redis.hget(this.#keys.job(id), 'state')) as JobState | null;
  }

  /** The state and the fingerprint of the job's rows; null when there is no such job. */
  async standing(id: string): Promise<{ state: JobState; fingerprint: string } | null> {
    const [state, fingerprint] = await this.#redis.hmget(this.#keys.job(id), 'state', 'fingerprint');
    if (!state) return null;
    if (fingerprint) return { state: state as JobState, fingerprint };
    // 0.1.0 has it in the spec only.
    const job = readJobFields(await this.#redis.hgetall(this.#keys.job(id)));
    return job && { state: job.state, fingerprint: job.spec.fingerprint };
  }

  /** null when there is no such job. Reads only a few fields. */
  async progress(id: string): Promise<JobProgress | null> {
    const fields = ['state', 'model', 'lane', 'texts', 'done', 'failed', 'keyId'];
    const [state, model, lane, texts, done, failed, keyId] = await this.#redis.hmget(this.#keys.job(id), ...fields);
    if (!state || !model) return null;
    const unfinished = Math.max(0, Number(texts) - Number(done) - Number(failed));
    return { state: state as JobState, model, lane: lane as Lane, keyId: keyId ?? '', unfinished };
  }

  /** null when there is no such job, or it has expired. Fails the job if the API process of its upload has died. */
  async get(id: string): Promise<JobRecord | null> {
    const fields = await this.#redis.hgetall(this.#keys.job(id));
    const job = readJobFields(fields);
    const heardAt = Number(fields['heardAt'] ?? Infinity);
    if (job?.state !== 'receiving' || heardAt > Date.now() - UPLOAD_SILENCE_MS) return job;
    const message = `The upload broke off after ${job.texts} texts: its API process has gone. Send the job again.`;
    await this.#stop(id, 'failed', JSON.stringify({ code: 'upload_aborted', message }), String(heardAt));
    return readJobFields(await this.#redis.hgetall(this.#keys.job(id)));
  }

  /** The errors of those of these positions that have one. */
  async errors(id: string, positions: readonly number[]): Promise<Map<number, TextError>> {
    const errors = new Map<number, TextError>();
    if (positions.length === 0) return errors;
    const found = await this.#redis.hmget(this.#keys.jobErrors(id), ...positions.map(String));
    for (const [n, json] of found.entries()) {
      if (json !== null) errors.set(positions[n]!, JSON.parse(json) as TextError);
    }
    return errors;
  }

  async #stop(id: string, state: JobState, error: string, heardAt: string): Promise<JobState | null> {
    const [now, renew] = (await scripts.stop(
      this.#redis,
      [this.#keys.job(id)],
      [id, this.#ttlMs, this.#keys.finishedJobs(), state, error, heardAt],
    )) as [JobState | null, number];
    await this.#settle(id, now, renew);
    return now;
  }

  /**
   * Work after a script that cannot be part of it: removes a final job from the unfinished jobs, whose list is in
   * another cluster slot, and renews the TTL of the rows of `renew` texts, whose keys are too many for a script.
   */
  async #settle(id: string, state: JobState | null, renew: number): Promise<void> {
    try {
      await Promise.all([
        state !== null && isFinal(state) && this.#index.leaveActive([id]),
        renew > 0 && this.#renewBeside(id),
        renew > 0 && this.#results.renew({ id }, renew, this.#ttlMs),
      ]);
    } catch {
      // The script has run. `JobList.activeTexts` removes the id later, and rows are renewed well before they expire.
    }
  }

  async #renewBeside(id: string): Promise<void> {
    await exec(
      this.#redis,
      this.#keysBeside(id).map((key) => ['pexpire', key, this.#ttlMs]),
    );
  }

  /** Keys of a job besides its record and rows. */
  #keysBeside(id: string): [acks: string, errors: string, failedInputs: string, retries: string] {
    const keys = this.#keys;
    return [keys.jobAcks(id), keys.jobErrors(id), keys.jobFailedInputs(id), keys.jobRetries(id)];
  }
}
