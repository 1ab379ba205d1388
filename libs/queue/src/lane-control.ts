import { type Lane, unitOfTask } from '#contracts';
import type { Queue } from 'bullmq';

/** Tasks per read; a read returns the tasks with their texts. */
const READ_TASKS = 50;

/** A task that failed permanently; BullMQ's state `failed`. */
export interface DeadLetteredTask {
  readonly id: string;
  /** The job and unit that it belongs to; null for a task of a waiting request, which no longer waits. */
  readonly unit: { readonly jobId: string; readonly unit: number } | null;
}

/** Actions of operators on a lane. */
export class LaneControl {
  readonly #queue: (model: string, lane: Lane) => Queue;

  /** @param queue returns the queue of a model and lane, always the same object */
  constructor(queue: (model: string, lane: Lane) => Queue) {
    this.#queue = queue;
  }

  /** Workers finish the tasks they hold and take no more until `resume`. */
  pause(model: string, lane: Lane): Promise<void> {
    return this.#queue(model, lane).pause();
  }

  resume(model: string, lane: Lane): Promise<void> {
    return this.#queue(model, lane).resume();
  }

  isPaused(model: string, lane: Lane): Promise<boolean> {
    return this.#queue(model, lane).isPaused();
  }

  /** All dead-lettered tasks that are still kept. */
  async deadLettered(model: string, lane: Lane): Promise<DeadLetteredTask[]> {
    const queue = this.#queue(model, lane);
    const tasks: DeadLetteredTask[] = [];
    for (let from = 0; ; from += READ_TASKS) {
      const jobs = await queue.getJobs(['failed'], from, from + READ_TASKS - 1);
      for (const job of jobs) {
        if (job?.id === undefined) continue;
        tasks.push({ id: job.id, unit: unitOfTask(job.data) });
      }
      if (jobs.length < READ_TASKS) return tasks;
    }
  }

  /** Puts a dead-lettered task back into the queue with all its attempts. @returns false when it is no longer there */
  async runAgain(model: string, lane: Lane, id: string): Promise<boolean> {
    const job = await this.#queue(model, lane).getJob(id);
    if (job === undefined || !(await job.isFailed())) return false;
    await job.retry('failed', { resetAttemptsMade: true });
    return true;
  }

  /** Removes a dead-lettered task. */
  async forget(model: string, lane: Lane, id: string): Promise<void> {
    await this.#queue(model, lane).remove(id);
  }
}
