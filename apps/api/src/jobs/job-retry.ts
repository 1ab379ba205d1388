import { ApiError, isFinal, type JobRecord, type JobTask, jobTaskId } from '#contracts';
import { cutTasks, type LaneProducer, type LaneTask, type TaskLimits } from '#queue';
import type { FailedTexts, JobStore } from '#store';
import type { ModelDirectory } from '../models/model-directory.js';
import { requireJob } from './job-view.js';
import type { QueueRoom } from './queue-room.js';

/** Tasks enqueued in one go. */
const ENQUEUE_TASKS = 100;

/** A job whose failed texts are tried again. */
export interface Retried {
  readonly job: JobRecord;
  /** Texts tried again. They are counted as they are taken: by now workers may have settled them. */
  readonly texts: number;
}

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
  async retry(id: string): Promise<Retried> {
    const { failed, models, room, store, taskLimits } = this.#parts;
    const job = requireJob(await store.get(id), id);
    requireSealed(job);
    if (job.retriable === 0 && (await failed.unitsUnderWay(id)) === 0) throw nothingToRetry(job);
    const card = await models.card(job.model);
    if (card.fingerprint !== job.spec.fingerprint) throw modelChanged(job);
    await room.require(job.model, job);

    const textsOfUnit = new Map<number, number>();
    for await (const texts of failed.kept(id)) {
      for (const { positions } of cutTasks(texts, taskLimits)) {
        const firstPositions = positions.map((places) => places[0]!);
        const taken = await store.retry(job, firstPositions);
        if (taken !== null) textsOfUnit.set(taken.unit, taken.texts);
      }
    }
    await this.#enqueue(job, textsOfUnit);
    const texts = [...textsOfUnit.values()].reduce((sum, count) => sum + count, 0);
    return { job: requireJob(await store.get(id), id), texts };
  }

  /**
   * Enqueues everything that is to be tried again; the queue does not take twice what it has already.
   * @param textsOfUnit gets the units that an earlier request took and that are not settled yet
   */
  async #enqueue(job: JobRecord, textsOfUnit: Map<number, number>): Promise<void> {
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
      textsOfUnit.set(
        unit,
        texts.reduce((sum, { positions }) => sum + positions.length, 0),
      );
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
