import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { isNotConnectionError, UnrecoverableError, WaitingError } from 'bullmq';
import type { Job } from 'bullmq';
import { readTask, requestIdOfTask } from '#contracts';
import type { Lane, Operations, Task } from '#contracts';
import { DeviceUnavailableError, type Engine } from '#inference';
import type { Lifecycle } from '../lifecycle.js';
import type { Log } from '../operation/log.js';
import type { WorkerMetrics } from '../operation/metrics.js';
import type { TaskProcessor } from '../process/task-processor.js';
import type { Prefetch } from './prefetch.js';

/** What a consumer asks of the models that it takes tasks for, by name. */
export interface ConsumerModels {
  processor(name: string): Pick<TaskProcessor, 'process' | 'failedPermanently'>;
  engine(name: string): Pick<Engine, 'stats'>;
}

export interface ConsumerParts {
  readonly model: string;
  readonly lane: Lane;
  readonly prefetch: Prefetch;
  readonly models: ConsumerModels;
  readonly operations: Operations;
  readonly lifecycle: Lifecycle;
  readonly metrics: WorkerMetrics;
  readonly log: Log;
}

/**
 * A consumer stands between one BullMQ queue and the model's task processor. It decides what the queue hears of a task
 * that did not end well: try again, back to its place in the queue, or failed for good and reported.
 */
export class Consumer extends WorkerHost {
  readonly #parts: ConsumerParts;

  constructor(parts: ConsumerParts) {
    super();
    this.#parts = parts;
  }

  override async process(job: Job<unknown>, token?: string): Promise<void> {
    const { lane, lifecycle, metrics, model, models, operations, prefetch } = this.#parts;
    const ends = metrics.taskBegins(model, lane);
    const { holding } = lifecycle;
    try {
      holding.throwIfAborted();
      const task = readTask(job.data, operations);
      // Not held back by a device that never answers.
      await unlessGivenUp(models.processor(model).process(task, taskIdOf(job), lane, holding), holding);
      prefetch.taskEnded(task.inputs.length, models.engine(model).stats());
      this.worker.concurrency = prefetch.tasks;
    } catch (error) {
      // The device is gone for good, which no task is to blame for: others take what this worker holds.
      if (error instanceof DeviceUnavailableError) lifecycle.leave(error);
      await letItGoFirst(job);
      if (holding.aborted) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      // Reported while the lease still holds: if this worker dies in between, the task runs once more and is reported then.
      if (job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) await this.#report(job, error as Error);
      throw error;
    } finally {
      ends();
    }
  }

  @OnWorkerEvent('failed')
  failed(job: Job<unknown> | undefined, error: Error): void {
    const { lane, log, model } = this.#parts;
    // As the API's log names it.
    const reqId = requestIdOfTask(job?.data);
    log.error({ err: error, model, lane, task: job?.id, reqId, attempt: job?.attemptsMade }, 'task failed');
    // The queue itself gives up on a task that took too many workers down; `process` never saw it then.
    if (job !== undefined && error instanceof UnrecoverableError) {
      this.#report(job, error).catch((reason: unknown) =>
        log.error({ err: reason, task: job.id, reqId }, 'could not report it'),
      );
    }
  }

  @OnWorkerEvent('stalled')
  stalled(taskId: string): void {
    const { lane, log, model } = this.#parts;
    log.warn({ model, lane, task: taskId }, 'task lost by a worker, goes back to the queue');
  }

  /** The connections report outages themselves, so those are no news here. */
  @OnWorkerEvent('error')
  queueFailed(error: Error): void {
    const { lane, log, model } = this.#parts;
    log[isOutage(error) ? 'debug' : 'error']({ err: error, model, lane }, 'queue');
  }

  /** The task has failed for good: its inputs get that for an outcome. */
  async #report(job: Job<unknown>, reason: Error): Promise<void> {
    const { model, models, operations } = this.#parts;
    let task: Task;
    try {
      task = readTask(job.data, operations);
    } catch {
      // What it holds cannot be read, so nobody can be told; the log has the reason.
      return;
    }
    await models.processor(model).failedPermanently(task, taskIdOf(job), reason);
  }
}

/** The work's outcome, or a rejection as soon as the task is to go back to the queue. */
function unlessGivenUp(work: Promise<void>, holding: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(holding.reason as Error);
    holding.addEventListener('abort', giveUp, { once: true });
    void work.then(resolve, reject).finally(() => holding.removeEventListener('abort', giveUp));
  });
}

/**
 * It has had its turn. Whenever it comes back, it goes before all that wait their turns: its old one may lie far ahead
 * by then, where tags began anew, or far behind, where it would pass for the present (see `fair-queueing.lua`).
 */
async function letItGoFirst(job: Job<unknown>): Promise<void> {
  // Best effort: where Redis is away, the task comes back by its lease, which ends in front as well.
  if (job.priority > 0) await job.changePriority({ priority: 0 }).catch(() => undefined);
}

function taskIdOf(job: Job<unknown>): string {
  if (job.id === undefined) throw new UnrecoverableError('a task without an id');
  return job.id;
}

function isOutage(error: Error & { code?: string }): boolean {
  return !isNotConnectionError(error) || /^(ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND)$/.test(error.code ?? '');
}
