import type { Lane, Task } from '#contracts';
import type { Queue } from 'bullmq';
import { taskOptions } from './lane-options.js';

/** Tasks of one `addBulk`: about as many as one upload window has. */
const BULK_TASKS = 100;

/** A task and the lane it goes through. */
export interface LaneTask {
  /** BullMQ id: adding a task twice adds it once. */
  readonly id: string;
  readonly lane: Lane;
  readonly task: Task;
}

/** How full a lane of a model is. */
export interface LaneDepth {
  /** Tasks waiting, delayed retries not among them. */
  readonly waiting: number;
  /** Tasks that workers hold. */
  readonly active: number;
  /** Tasks waiting for their next attempt. */
  readonly delayed: number;
  /** Tasks given up, kept for people to look at. */
  readonly failed: number;
  /** Since the oldest task that waits or runs was enqueued; null when there is none. */
  readonly oldestAgeMs: number | null;
  readonly paused: boolean;
}

/** Puts tasks into the lanes, one BullMQ queue for each model and lane. */
export class LaneProducer {
  readonly #queue: (model: string, lane: Lane) => Queue;
  readonly #attempts: number;

  /** @param queue gives the queue of a model and lane, always the same */
  constructor(queue: (model: string, lane: Lane) => Queue, { attempts }: { attempts: number }) {
    this.#queue = queue;
    this.#attempts = attempts;
  }

  /** Resolves when Redis has acknowledged every task. */
  async enqueue(tasks: readonly LaneTask[]): Promise<void> {
    const byQueue = new Map<Queue, LaneTask[]>();
    for (const entry of tasks) {
      const queue = this.#queue(entry.task.model, entry.lane);
      const group = byQueue.get(queue);
      if (group) group.push(entry);
      else byQueue.set(queue, [entry]);
    }
    const options = taskOptions(this.#attempts);
    for (const [queue, group] of byQueue) {
      const jobs = group.map(({ id, task }) => ({ name: task.kind, data: task, opts: { ...options, jobId: id } }));
      const [only] = jobs;
      if (jobs.length === 1 && only !== undefined) {
        // Somebody may be waiting: without a transaction around it, it is there a tenth of a millisecond sooner.
        await queue.add(only.name, only.data, only.opts);
        continue;
      }
      for (let from = 0; from < jobs.length; from += BULK_TASKS) {
        await queue.addBulk(jobs.slice(from, from + BULK_TASKS));
      }
    }
  }

  /** Takes tasks out that no worker holds. @returns how many are gone, those that had ended before included */
  async remove(model: string, lane: Lane, ids: readonly string[]): Promise<number> {
    const queue = this.#queue(model, lane);
    const removed = await Promise.all(ids.map((id) => queue.remove(id)));
    return removed.filter((done) => done === 1).length;
  }

  async depth(model: string, lane: Lane): Promise<LaneDepth> {
    const queue = this.#queue(model, lane);
    const [counts, paused, waiting, active] = await Promise.all([
      queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed'),
      queue.isPaused(),
      queue.getJobs(['wait'], 0, 0, true),
      queue.getJobs(['active'], 0, 0, true),
    ]);
    const oldest = [...waiting, ...active].flatMap((job) => (job ? [job.timestamp] : []));
    return {
      waiting: (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0),
      active: counts['active'] ?? 0,
      delayed: counts['delayed'] ?? 0,
      failed: counts['failed'] ?? 0,
      oldestAgeMs: oldest.length === 0 ? null : Math.max(0, Date.now() - Math.min(...oldest)),
      paused,
    };
  }
}
