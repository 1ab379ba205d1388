import { ApiError, isFinal, type QueueActionRequest } from '#contracts';
import type { DeadLetteredTask, LaneControl } from '#queue';
import type { JobLedger } from '#store';
import type { JobRetry } from '../jobs/job-retry.js';

/** Error codes of a job retry that leave nothing to retry. */
const NOTHING_LEFT = ['job_not_found', 'job_ended', 'nothing_to_retry'];

/**
 * Operator actions on a lane.
 *
 * A dead-lettered task is usually reported: its unit of the job is counted and its texts are marked as failed. Running
 * that task again would change nothing, so its job retries the failed texts in new tasks. A task that could not be
 * reported is still owed to its job: it goes back into the queue and is never cleaned.
 */
export class QueueActions {
  readonly #control: LaneControl;
  readonly #jobs: JobLedger;
  readonly #retry: JobRetry;

  constructor(control: LaneControl, jobs: JobLedger, retry: JobRetry) {
    this.#control = control;
    this.#jobs = jobs;
    this.#retry = retry;
  }

  /** @returns number of tasks affected; 0 for pause and resume */
  async act({ action, lane, model }: QueueActionRequest): Promise<number> {
    switch (action) {
      case 'pause':
        await this.#control.pause(model, lane);
        return 0;
      case 'resume':
        await this.#control.resume(model, lane);
        return 0;
      case 'retry-failed':
        return this.#retryFailed({ model, lane });
      case 'clean':
        return this.#clean({ model, lane });
    }
  }

  async #retryFailed({ lane, model }: Pick<QueueActionRequest, 'model' | 'lane'>): Promise<number> {
    let affected = 0;
    const reported = new Map<string, string[]>();
    for (const task of await this.#control.deadLettered(model, lane)) {
      if (await this.#isOwed(task)) affected += Number(await this.#control.runAgain(model, lane, task.id));
      else if (task.unit !== null) {
        reported.set(task.unit.jobId, [...(reported.get(task.unit.jobId) ?? []), task.id]);
      }
    }
    for (const [jobId, tasks] of reported) {
      const outcome = await this.#retryJob(jobId);
      if (outcome === 'refused') continue;
      if (outcome === 'retried') affected += tasks.length;
      for (const id of tasks) await this.#control.forget(model, lane, id);
    }
    return affected;
  }

  /** `over`: nothing is left to retry. `refused`: the job cannot be retried now; its dead-lettered tasks are kept. */
  async #retryJob(jobId: string): Promise<'retried' | 'over' | 'refused'> {
    try {
      await this.#retry.retry(jobId);
      return 'retried';
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 500) throw error;
      return NOTHING_LEFT.includes(error.code) ? 'over' : 'refused';
    }
  }

  async #clean({ lane, model }: Pick<QueueActionRequest, 'model' | 'lane'>): Promise<number> {
    let affected = 0;
    for (const task of await this.#control.deadLettered(model, lane)) {
      if (await this.#isOwed(task)) continue;
      await this.#control.forget(model, lane, task.id);
      affected++;
    }
    return affected;
  }

  /** Whether an unfinished job still waits for the outcome of this task. */
  async #isOwed({ unit }: DeadLetteredTask): Promise<boolean> {
    if (unit === null) return false;
    const state = await this.#jobs.state(unit.jobId);
    return state !== null && !isFinal(state) && !(await this.#jobs.acknowledged(unit.jobId, unit.unit));
  }
}
