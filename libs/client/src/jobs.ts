import type { JobList, JobObject, JobState, jobUploadOptionsSchema, RetriedJob } from '#contracts';
import type { z } from 'zod';
import { EmbedmillError } from './errors.js';
import { JobResultsClient } from './job-results.js';
import type { CallOptions, Transport } from './transport.js';
import { uploadOf } from './upload.js';

/** Texts and embedding options for `POST /v1/jobs`. */
export type NewJob = Omit<z.output<typeof jobUploadOptionsSchema>, 'truncate'> & {
  /** Where a text over the model's limit is truncated; with `error`, the text fails. Default: as the model's files say. */
  readonly truncate?: z.output<typeof jobUploadOptionsSchema>['truncate'] | undefined;
  /**
   * A text or a list, whose upload can be retried; or an iterable, which is read only once, as fast as the service
   * accepts texts.
   */
  readonly input: string | readonly string[] | Iterable<string> | AsyncIterable<string>;
};

export interface JobFilter extends CallOptions {
  readonly state?: JobState | undefined;
  /** Name of a served model. */
  readonly model?: string | undefined;
}

export interface WaitOptions extends CallOptions {
  /** Called with every status of the job, including the last. */
  readonly onStatus?: ((job: JobObject) => void) | undefined;
  /**
   * Maximum time between two statuses, s, 0 to 60: the service holds each request so long, unless the job ends. Default
   * 1 with `onStatus`, else 20.
   */
  readonly lookSeconds?: number | undefined;
}

const PAGE_JOBS = 100;

/** `/v1/jobs`: embeds any number of texts; their vectors are fetched later. */
export class JobsClient {
  readonly results: JobResultsClient;
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.results = new JobResultsClient(transport);
  }

  /**
   * Uploads texts, and returns as soon as the service has accepted all of them. For an iterable, memory use does not
   * grow with the number of texts. A busy service reads slowly (backpressure); the upload has no time limit.
   *
   * If the response is lost, a list is uploaded again. This may leave a second job, whose vectors come from the cache.
   *
   * @example
   * const { id } = await client.jobs.create({ model: 'all-MiniLM-L6-v2', input: readLines('texts.txt') });
   *
   * @throws EmbedmillApiError 400 with `param` `line N` for the N-th text, from 1; 404 `model_not_found`; or the
   *   iterable's own error
   */
  async create({ input, ...query }: NewJob, options: CallOptions = {}): Promise<JobObject> {
    const upload = uploadOf(input);
    try {
      const call = { method: 'POST', path: '/v1/jobs', contentType: 'application/x-ndjson', heldMs: Infinity } as const;
      return await this.#job({ ...options, ...call, query, body: upload.body, repeat: upload.repeat });
    } catch (error) {
      throw upload.failure() ?? error;
    } finally {
      upload.stop();
    }
  }

  /** @throws EmbedmillApiError 404 `job_not_found` */
  get(id: string, options: CallOptions = {}): Promise<JobObject> {
    return this.#job({ ...options, path: pathOf(id) });
  }

  /**
   * One page of jobs, newest first; more may follow a short page: see `next_cursor`.
   * @param limit 1 to 100, default 20
   */
  async list({
    cursor,
    limit,
    model,
    state,
    ...options
  }: JobFilter & {
    readonly cursor?: string | null | undefined;
    readonly limit?: number | undefined;
  } = {}): Promise<JobList> {
    const { body } = await this.#transport.json<JobList>(
      { ...options, path: '/v1/jobs', query: { cursor, limit, model, state } },
      ({ data, object }) => object === 'list' && Array.isArray(data),
    );
    return body;
  }

  /**
   * All jobs, newest first, page by page.
   * @param pageJobs jobs per request, 1 to 100; use a small number when only a few jobs are needed
   *
   * @example
   * for await (const job of client.jobs.all({ state: 'running' })) console.log(job.id, job.progress);
   */
  async *all({
    pageJobs: limit = PAGE_JOBS,
    ...filter
  }: JobFilter & { readonly pageJobs?: number | undefined } = {}): AsyncGenerator<JobObject> {
    let cursor: string | null = null;
    do {
      const page: JobList = await this.list({ ...filter, cursor, limit });
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /**
   * Waits until a job is final: `completed`, `failed` or `cancelled`.
   * @param job its id or its last known status; a job that is already final is returned without a request
   *
   * @example
   * const job = requireEveryVector(await client.jobs.wait(id, { onStatus: ({ progress }) => bar.update(progress) }));
   */
  async wait(job: string | JobObject, { lookSeconds, onStatus, ...options }: WaitOptions = {}): Promise<JobObject> {
    if (typeof job === 'object' && job.finished_at !== null) return job;
    const path = pathOf(typeof job === 'object' ? job.id : job);
    const wait = lookSeconds ?? (onStatus === undefined ? 20 : 1);
    for (;;) {
      const seen = await this.#job({ ...options, path, query: { wait }, heldMs: 1000 * wait });
      onStatus?.(seen);
      if (seen.finished_at !== null) return seen;
    }
  }

  /** Cancels the unfinished texts of a job; a final job stays unchanged. */
  cancel(id: string, options: CallOptions = {}): Promise<JobObject> {
    return this.#job({ ...options, method: 'DELETE', path: pathOf(id) });
  }

  /**
   * Retries the failed texts of a job.
   * @returns the job; `retried` is the number of texts
   * @throws EmbedmillApiError 409 `nothing_to_retry`, `job_not_finished`, `job_ended` or `model_changed`
   */
  retry(id: string, options: CallOptions = {}): Promise<RetriedJob> {
    return this.#job<RetriedJob>({ ...options, method: 'POST', path: `${pathOf(id)}/retry` });
  }

  async #job<T extends JobObject = JobObject>(call: Parameters<Transport['json']>[0]): Promise<T> {
    return (await this.#transport.json<T>(call, ({ object }) => object === 'job')).body;
  }
}

/** A job has not produced a vector for every text. */
export class EmbedmillJobError extends EmbedmillError {
  override readonly name = 'EmbedmillJobError';
  readonly job: JobObject;

  constructor(message: string, job: JobObject) {
    super(message);
    this.job = job;
  }
}

/**
 * Checks that a job has a vector for every text.
 * @returns the same job
 * @throws EmbedmillJobError unless it is completed and none of its texts failed
 */
export function requireEveryVector<T extends JobObject>(job: T): T {
  const { counts, error, state } = job;
  if (state !== 'completed') {
    throw new EmbedmillJobError(`the job is ${state}${error === null ? '' : `: ${error.message}`}`, job);
  }
  if (counts.failed > 0) throw new EmbedmillJobError(`${counts.failed} of ${counts.texts} texts failed`, job);
  return job;
}

function pathOf(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}
