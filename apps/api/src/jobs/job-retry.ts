import {
  ApiError,
  isFinal,
  type JobRecord,
  type JobTask,
  jobTaskId,
  type Operations,
  type PlacedInput,
  TASK_FORMAT,
  TASK_LIMITS,
} from '#contracts';
import { cutTasks, type LaneProducer, type LaneTask } from '#queue';
import type { FailedInputs, JobLedger } from '#store';
import type { ModelDirectory } from '../planning/model-directory.js';
import type { BulkAdmission } from './bulk-admission.js';
import { requireJob } from './job-view.js';

/** Tasks enqueued per call. */
const ENQUEUE_TASKS = 100;

export interface JobRetryParts {
  readonly jobs: JobLedger;
  readonly failed: FailedInputs;
  readonly operations: Operations;
  readonly models: ModelDirectory;
  readonly admission: BulkAdmission;
  readonly producer: LaneProducer;
}

/** The result of a retry. */
export interface Retried {
  readonly job: JobRecord;
  /** Texts that are retried, including those of an earlier retry that is still under way. */
  readonly texts: number;
}

/**
 * Retries a job's failed inputs. They are first marked as unfinished in the job's Redis keys, then enqueued: if the
 * process dies in between, the job is running and the client can request the retry again.
 */
export class JobRetry {
  readonly #parts: JobRetryParts;

  constructor(parts: JobRetryParts) {
    this.#parts = parts;
  }

  /**
   * Returns when the queue has acknowledged all tasks. Safe to repeat: each input is retried once.
   * @throws ApiError 404; 409 `job_ended`, `job_not_finished`, `nothing_to_retry` or `model_changed`; 429 `queue_full`
   */
  async retry(id: string): Promise<Retried> {
    const { admission, failed, jobs, models, operations } = this.#parts;
    const job = requireJob(await jobs.get(id), id);
    requireSealed(job);
    if (job.retriable === 0 && (await failed.unitsUnderWay(id)) === 0) throw nothingToRetry(job);
    const card = await models.card(job.model);
    if (card.fingerprint !== job.spec.fingerprint) throw modelChanged(job);
    await admission.require(job.model, job, job.retriable);

    // Unit -> its texts. Counted as soon as they are known: a worker may finish a unit before the next step reads it.
    const tried = new Map<number, number>();
    for await (const { unit, inputs } of failed.underWay(id)) tried.set(unit, textsOf(inputs));
    const operation = operations.of(job.spec);
    for await (const inputs of failed.kept(id)) {
      for (const { positions } of cutTasks(inputs, operation, TASK_LIMITS)) {
        const firstPositions = positions.map((places) => places[0]!);
        const taken = await jobs.retry(job, firstPositions);
        if (taken !== null) tried.set(taken.unit, taken.texts);
      }
    }
    await this.#enqueue(job, tried);
    const texts = [...tried.values()].reduce((sum, count) => sum + count, 0);
    return { job: requireJob(await jobs.get(id), id), texts };
  }

  /**
   * Enqueues every unit that waits for a retry, also of earlier requests; a task that is queued already is not added
   * twice.
   * @param tried receives the number of texts of each unit
   */
  async #enqueue(job: JobRecord, tried: Map<number, number>): Promise<void> {
    const { failed, producer } = this.#parts;
    let tasks: LaneTask[] = [];
    for await (const { unit, inputs } of failed.underWay(job.id)) {
      tried.set(unit, textsOf(inputs));
      const task: JobTask = {
        v: TASK_FORMAT,
        kind: 'job',
        model: job.model,
        spec: job.spec,
        inputs: inputs.map(({ input }) => input),
        acceptedAt: Date.now(),
        jobId: job.id,
        unit,
        positions: inputs.map(({ positions }) => positions),
      };
      tasks.push({ id: jobTaskId(job.id, unit), lane: job.lane, task, keyId: job.keyId ?? undefined });
      if (tasks.length < ENQUEUE_TASKS) continue;
      await producer.enqueue(tasks);
      tasks = [];
    }
    await producer.enqueue(tasks);
  }
}

function textsOf(inputs: readonly PlacedInput[]): number {
  return inputs.reduce((sum, { positions }) => sum + positions.length, 0);
}

function requireSealed({ id, state }: JobRecord): void {
  if (state === 'receiving') {
    throw conflict('job_not_finished', `The upload of job ${id} is under way; try again when it has ended.`);
  }
  if (isFinal(state) && state !== 'completed') {
    throw conflict('job_ended', `Job ${id} is ${state}; send its texts again as a new job.`);
  }
}

function nothingToRetry({ failed, id }: JobRecord): ApiError {
  return conflict(
    'nothing_to_retry',
    failed === 0
      ? `No text of job ${id} has failed.`
      : `None of the ${failed} failed texts of job ${id} can be tried again: only those with the errors ` +
          'inference_failed and task_failed can. Send the others again as a new job.',
  );
}

function modelChanged({ id, model }: JobRecord): ApiError {
  return conflict(
    'model_changed',
    `Model "${model}" has been replaced since job ${id} was accepted, and vectors of two versions do not mix. ` +
      'Send the failed texts again as a new job.',
  );
}

function conflict(code: string, message: string): ApiError {
  return new ApiError({ status: 409, code, message, param: 'id' });
}
