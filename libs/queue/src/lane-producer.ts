import type { Lane, Operations, Task } from '#contracts';
import type { Queue } from 'bullmq';
import type { FairQueueing } from './fair-queueing.js';
import { TASK_ATTEMPTS, taskOptions } from './lane-options.js';

/** Tasks per `addBulk`: about as many as one upload window has. */
const BULK_TASKS = 100;

/** A task and its lane. */
export interface LaneTask {
  /** BullMQ id: adding a task again while the queue has it changes nothing. */
  readonly id: string;
  readonly lane: Lane;
  readonly task: Task;
  /** API key that shares the lane fairly with others. Absent: first come, first served, ahead of all keys. */
  readonly keyId?: string | undefined;
}

export interface LaneProducerOptions {
  readonly operations: Operations;
  /** Absent: first come, first served for all API keys. */
  readonly fairQueueing?: FairQueueing;
  /** Attempts per task. Default: `TASK_ATTEMPTS`. */
  readonly attempts?: number;
}

/** Bytes of input that count as one unit of cost. */
const COST_BYTES = 16_384;

/** Queue depth of one lane of a model. */
export interface LaneDepth {
  /** Tasks waiting, without delayed retries. */
  readonly waiting: number;
  /** Tasks that workers are processing. */
  readonly active: number;
  /** Tasks waiting for their next attempt. */
  readonly delayed: number;
  /** Dead-lettered tasks, kept for inspection. */
  readonly failed: number;
  /** Age of the oldest waiting or active task, ms since it was enqueued; null when there is none. */
  readonly oldestAgeMs: number | null;
  readonly paused: boolean;
}

/** Enqueues tasks in the lanes: one BullMQ queue per model and lane. */
export class LaneProducer {
  readonly #queue: (model: string, lane: Lane) => Queue;
  readonly #options: LaneProducerOptions;

  /** @param queue returns the queue of a model and lane, always the same object */
  constructor(queue: (model: string, lane: Lane) => Queue, options: LaneProducerOptions) {
    this.#queue = queue;
    this.#options = options;
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
    const options = taskOptions(this.#options.attempts ?? TASK_ATTEMPTS);
    for (const [queue, group] of byQueue) {
      const priorities = await this.#priorities(group);
      const jobs = group.map(({ id, task }, n) => ({
        name: task.kind,
        data: task,
        opts: { ...options, jobId: id, ...(priorities[n] === undefined ? {} : { priority: priorities[n] }) },
      }));
      const [only] = jobs;
      if (jobs.length === 1 && only !== undefined) {
        // A client may be waiting: `add` needs no transaction, which saves a tenth of a millisecond.
        await queue.add(only.name, only.data, only.opts);
        continue;
      }
      for (let from = 0; from < jobs.length; from += BULK_TASKS) {
        await queue.addBulk(jobs.slice(from, from + BULK_TASKS));
      }
    }
  }

  /** BullMQ priorities of tasks of one queue, in order; undefined for tasks without an API key. */
  async #priorities(group: readonly LaneTask[]): Promise<readonly (number | undefined)[]> {
    const priorities: (number | undefined)[] = group.map(() => undefined);
    const { fairQueueing } = this.#options;
    if (fairQueueing === undefined) return priorities;
    for (const keyId of new Set(group.flatMap((entry) => entry.keyId ?? []))) {
      const own = [...group.keys()].filter((n) => group[n]!.keyId === keyId);
      const { task, lane } = group[own[0]!]!;
      const costs = own.map((n) => this.#costOf(group[n]!.task));
      const tags = await fairQueueing.tags(task.model, lane, keyId, costs);
      for (const [at, n] of own.entries()) priorities[n] = tags[at];
    }
    return priorities;
  }

  /** Removes tasks that no worker holds. @returns how many are gone, including those that were gone before */
  async remove(model: string, lane: Lane, ids: readonly string[]): Promise<number> {
    const queue = this.#queue(model, lane);
    const removed = await Promise.all(ids.map((id) => queue.remove(id)));
    return removed.filter((done) => done === 1).length;
  }

  async depth(model: string, lane: Lane): Promise<LaneDepth> {
    const queue = this.#queue(model, lane);
    const [counts, paused, waiting, prioritized, active] = await Promise.all([
      queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed'),
      queue.isPaused(),
      queue.getJobs(['wait'], 0, 0, true),
      // Sorted by tag, not by age: the next task in line stands in for the oldest.
      queue.getJobs(['prioritized'], 0, 0, true),
      queue.getJobs(['active'], 0, 0, true),
    ]);
    const oldest = [...waiting, ...prioritized, ...active].flatMap((job) => (job ? [job.timestamp] : []));
    return {
      waiting: (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0),
      active: counts['active'] ?? 0,
      delayed: counts['delayed'] ?? 0,
      failed: counts['failed'] ?? 0,
      oldestAgeMs: oldest.length === 0 ? null : Math.max(0, Date.now() - Math.min(...oldest)),
      paused,
    };
  }

  /** Units of `COST_BYTES`, rounded up, at least 1: bytes approximate tokens, which determine the cost. */
  #costOf({ inputs, spec }: Task): number {
    const operation = this.#options.operations.of(spec);
    const bytes = inputs.reduce<number>((sum, input) => sum + operation.bytes(input), 0);
    return Math.max(1, Math.ceil(bytes / COST_BYTES));
  }
}
