import { ApiError, isFinal, type JobRecord, type JobTask, jobTaskId } from '#contracts';
import { cutTasks, type LaneProducer, type LaneTask, type TaskLimits } from '#queue';
import type { FailedTexts, JobStore } from '#store';
import type { ModelDirectory } from '../models/model-directory.js';
import { requireJob } from './job-view.js';
import type { QueueRoom } from './queue-room.js';

/** Tasks enqueued in one go. */
const ENQUEUE_TASKS = 100;

export interface JobRetryParts {
  readonly store: JobStore;
  readonly failed: FailedTexts;
  readonly models: ModelDirectory;
  readonly room: QueueRoom;
  readonly producer: LaneProducer;
  readonly taskLimits: TaskLimits;
}

/**
 * Puts a job's failed texts into the queue again. They are first made unfinished in the job's own keys, then enqueued: a
 * process that dies in between leaves a job that runs, and whose retry can be asked for again.
 */
export class JobRetry {
  readonly #parts: JobRetryParts;

  constructor(parts: JobRetryParts) {
    this.#parts = parts;
  }

  /**
   * Returns when the queue has acknowledged all of it. Asked for twice, a text is tried again once.
   * @throws ApiError 404; 409 `job_ended`, `job_not_finished`, `nothing_to_retry` or `model_changed`; 429 `queue_full`
   */
  async retry(id: string): Promise<JobRecord> {
    const { failed, models, room, store, taskLimits } = this.#parts;
    const job = requireJob(await store.get(id), id);
    requireSealed(job);
    if (job.retriable === 0 && (await failed.unitsUnderWay(id)) === 0) throw nothingToRetry(job);
    const card = await models.card(job.model);
    if (card.fingerprint !== job.spec.fingerprint) throw modelChanged(job);
    await room.require(job.model, job);

    for await (const texts of failed.kept(id)) {
      for (const { positions } of cutTasks(texts, taskLimits)) {
        await store.retry(
          job,
          positions.map((places) => places[0]!),
        );
      }
    }
    await this.#enqueue(job);
    return requireJob(await store.get(id), id);
  }

  /** Everything that is to be tried again; what the queue has already, it does not take twice. */
  async #enqueue(job: JobRecord): Promise<void> {
    const { failed, producer } = this.#parts;
    let tasks: LaneTask[] = [];
    for await (const { unit, texts } of failed.underWay(job.id)) {
      const task: JobTask = {
        kind: 'job',
        model: job.model,
        spec: job.spec,
        texts: texts.map(({ text }) => text),
        acceptedAt: Date.now(),
        jobId: job.id,
        unit,
        positions: texts.map(({ positions }) => positions),
      };
      tasks.push({ id: jobTaskId(job.id, unit), lane: job.lane, task, holder: job.keyId ?? undefined });
      if (tasks.length < ENQUEUE_TASKS) continue;
      await producer.enqueue(tasks);
      tasks = [];
    }
    await producer.enqueue(tasks);
  }
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
