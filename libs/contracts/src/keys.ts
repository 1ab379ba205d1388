import type { RateUnit } from './api/access.js';
import type { Lane } from './task/lane.js';

/** Positions per result slice: one Redis key holds this many rows of a job. */
export const SLICE_ROWS = 64;

/**
 * Every Redis key and channel name of Embedmill; the prefix is `EMBED_KEY_PREFIX`, `em` by default. Braces are Redis
 * Cluster hash tags: all keys that one script accesses share a tag.
 */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Hash: the job's record. */
  job(id: string): string {
    return `${this.#prefix}:job:{${id}}`;
  }
  /**
   * Rows of positions `[slice * SLICE_ROWS, (slice + 1) * SLICE_ROWS)`. If all rows have the same length, a string;
   * else a hash, position within the slice -> row.
   */
  jobSlice(id: string, slice: number): string {
    return `${this.job(id)}:vec:${slice}`;
  }
  /** Hash: position -> JSON of a text error. */
  jobErrors(id: string): string {
    return `${this.job(id)}:err`;
  }
  /** Hash: first position -> JSON of a failed input that can be retried. */
  jobFailedInputs(id: string): string {
    return `${this.job(id)}:failed`;
  }
  /** Hash: unit -> JSON of the inputs that this unit retries. */
  jobRetries(id: string): string {
    return `${this.job(id)}:retries`;
  }
  /** Bitmap: units already acknowledged. */
  jobAcks(id: string): string {
    return `${this.job(id)}:acks`;
  }
  /** Sorted set: job id by creation time, epoch ms; all jobs, or those of one tenant. */
  jobs(tenant = ''): string {
    return tenant === '' ? `${this.#prefix}:jobs` : `${this.#prefix}:jobs:of:${tenant}`;
  }
  /** Sorted set: id of unfinished jobs by creation time, epoch ms; queue depth in texts is summed over these. */
  activeJobs(): string {
    return `${this.#prefix}:jobs:active`;
  }
  /** Channel: ids of jobs that reached a final state. */
  finishedJobs(): string {
    return `${this.#prefix}:jobs:finished`;
  }

  /** String with TTL: the reply to a waiting request's task. */
  reply(taskId: string): string {
    return `${this.#prefix}:reply:${taskId}`;
  }
  /** Channel of one API process: ids of tasks whose reply is written, with the reply itself if it is small. */
  replies(apiId: string): string {
    return `${this.#prefix}:replies:${apiId}`;
  }
  /** Set with TTL: indexes of cancelled inputs of a waiting request's task. */
  dropped(taskId: string): string {
    return `${this.#prefix}:dropped:${taskId}`;
  }
  /** Channel to all workers: work to cancel, JSON `{jobId}` or `{taskId, indexes}`. */
  cancellations(): string {
    return `${this.#prefix}:aborts`;
  }

  /** String on the cache instance: one raw row. */
  row(specHash: string, inputHash: string): string {
    return `${this.#prefix}:vec:${specHash}:${inputHash}`;
  }

  /** String: version of the data formats, see `SCHEMA_VERSION`. */
  schema(): string {
    return `${this.#prefix}:schema`;
  }

  /** String: JSON of the model card last announced under this name. */
  model(name: string): string {
    return `${this.#prefix}:model:${name}`;
  }
  /** Set of announced model names. */
  models(): string {
    return `${this.#prefix}:models`;
  }
  /** String: float32 reference of the self-test, by `<fingerprint>` for embed, else by `<fingerprint>-<operation>`. */
  canary(fingerprint: string): string {
    return `${this.#prefix}:canary:${fingerprint}`;
  }
  /** String: gzipped JSON of the tokenizer files of a fingerprint. */
  tokenizer(fingerprint: string): string {
    return `${this.#prefix}:tokenizer:${fingerprint}`;
  }
  /** String with TTL: JSON of a worker's record. */
  worker(id: string): string {
    return `${this.#prefix}:worker:${id}`;
  }
  /** String with TTL: the same JSON, kept for an hour after the last heartbeat. */
  lastRecord(id: string): string {
    return `${this.#prefix}:worker:${id}:last`;
  }
  /** Sorted set: worker id by last heartbeat, epoch ms. */
  workers(): string {
    return `${this.#prefix}:workers`;
  }
  /** Sorted set: id of workers whose heartbeats stopped, by the time this was noticed, epoch ms. */
  lostWorkers(): string {
    return `${this.#prefix}:workers:lost`;
  }

  /** Hash: an API key's record, and the SHA-256 of the key. */
  apiKey(id: string): string {
    return `${this.#prefix}:key:${id}`;
  }
  /** Sorted set: API key id by creation time, epoch ms. */
  apiKeys(): string {
    return `${this.#prefix}:keys`;
  }
  /** String with TTL: JSON of a dashboard session, by the hash of its cookie. */
  session(tokenHash: string): string {
    return `${this.#prefix}:session:${tokenHash}`;
  }
  /** String with TTL: what an API key has used in the current rate-limit window. */
  rate(unit: RateUnit, keyId: string): string {
    return `${this.#prefix}:rate:${unit}:${keyId}`;
  }
  /** String with TTL: number of sign-in attempts from one address, by the address's hash. */
  signInAttempts(addressHash: string): string {
    return `${this.#prefix}:sign-ins:${addressHash}`;
  }
  /** Stream of bounded length: actions of operators. */
  audit(): string {
    return `${this.#prefix}:audit`;
  }
  /** Hash with TTL: counts of one step of history. @param step number of the step since the epoch */
  history(range: string, step: number): string {
    return `${this.#prefix}:history:${range}:${step}`;
  }

  /** String with TTL: claimed by the one process that samples queue depth for a tick of history. */
  historyClaim(tick: number): string {
    return `${this.#prefix}:history:claim:${tick}`;
  }

  /**
   * BullMQ queue name, which cannot contain a colon: in a model's name it becomes `%3A`. The braces keep one queue's
   * keys in one cluster slot and spread queues over slots.
   */
  queue(model: string, lane: Lane): string {
    return `{${model.replaceAll(':', '%3A')}/${lane}}`;
  }
  /** One of BullMQ's own keys: with `prioritized` the sorted set, with `''` the prefix of the keys of tasks. */
  queuePart(model: string, lane: Lane, part: string): string {
    return `${this.queuePrefix()}:${this.queue(model, lane)}:${part}`;
  }
  /** Hash: API key id -> tag of its last task, maintained by `fair-queueing.lua`. */
  shares(model: string, lane: Lane): string {
    return this.queuePart(model, lane, 'shares');
  }
  /** BullMQ's key prefix. */
  queuePrefix(): string {
    return `${this.#prefix}:q`;
  }
}
