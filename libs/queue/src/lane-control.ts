import { type Lane, unitOfTask } from '#contracts';
import type { Queue } from 'bullmq';

/** Tasks read in one go: their texts come with them. */
const READ_TASKS = 50;

/** A task that the queue gave up after its last attempt; BullMQ calls it failed. */
export interface DeadLetteredTask {
  readonly id: string;
  /** Whose results it belongs to; null: nobody's any more, as those of a request that waited. */
  readonly unit: { readonly jobId: string; readonly unit: number } | null;
}

/** What operators do to a lane. */
export class LaneControl {
  readonly #queue: (model: string, lane: Lane) => Queue;

  /** @param queue gives the queue of a model and lane, always the same */
  constructor(queue: (model: string, lane: Lane) => Queue) {
    this.#queue = queue;
  }

  /** Workers finish what they hold and take nothing more, until it is resumed. */
  pause(model: string, lane: Lane): Promise<void> {
    return this.#queue(model, lane).pause();
  }

  resume(model: string, lane: Lane): Promise<void> {
    return this.#queue(model, lane).resume();
  }

  isPaused(model: string, lane: Lane): Promise<boolean> {
    return this.#queue(model, lane).isPaused();
  }

  /** Those that are kept for people to look at. */
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

  /** Back into the queue, with all its attempts. @returns false when it has gone meanwhile */
  async runAgain(model: string, lane: Lane, id: string): Promise<boolean> {
    const job = await this.#queue(model, lane).getJob(id);
    if (job === undefined || !(await job.isFailed())) return false;
    await job.retry('failed', { resetAttemptsMade: true });
    return true;
  }

  /** Takes the record of a task away that was given up. */
  async forget(model: string, lane: Lane, id: string): Promise<void> {
    await this.#queue(model, lane).remove(id);
  }
}
