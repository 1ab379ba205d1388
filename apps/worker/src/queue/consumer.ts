import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { isNotConnectionError, UnrecoverableError, WaitingError } from 'bullmq';
import type { Job } from 'bullmq';
import { NewerFormatError, readTask, requestIdOfTask, UnknownOperationError } from '#contracts';
import type { Lane, Operations, Task } from '#contracts';
import { DeviceUnavailableError, type Engine } from '#inference';
import type { Lifecycle } from '../lifecycle.js';
import type { Log } from '../log.js';
import type { WorkerMetrics } from '../operation/metrics.js';
import type { TaskProcessor } from '../process/task-processor.js';
import type { Prefetch } from './prefetch.js';

/** What a consumer needs of the served models, by name. */
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
 * Connects one BullMQ queue to the model's task processor. It decides what happens to a task that did not succeed: a
 * retry, a return to the front of the queue, or a permanent failure that is reported to the job or request.
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
      // Rejects when `holding` aborts, even if the device never answers.
      await unlessGivenUp(models.processor(model).process(task, taskIdOf(job), lane, holding), holding);
      prefetch.taskEnded(task.inputs.length, models.engine(model).stats());
      this.worker.concurrency = prefetch.tasks;
    } catch (error) {
      // The device is lost, which is not the task's fault: return all tasks held to the queue and end this worker.
      if (error instanceof DeviceUnavailableError) lifecycle.leave(error);
      // A newer release enqueued the task, so its workers must process it.
      if (error instanceof NewerFormatError || error instanceof UnknownOperationError) lifecycle.leave(error);
      await moveToFront(job);
      if (holding.aborted) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      // Report while the task's lock is held: if this worker dies in between, the task runs again and is reported then.
      if (job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) await this.#report(job, error as Error);
      throw error;
    } finally {
      ends();
    }
  }

  @OnWorkerEvent('failed')
  failed(job: Job<unknown> | undefined, error: Error): void {
    const { lane, log, model } = this.#parts;
    // The name that the API's log uses.
    const reqId = requestIdOfTask(job?.data);
    log.error({ err: error, model, lane, task: job?.id, reqId, attempt: job?.attemptsMade }, 'task failed');
    // BullMQ fails a task that stalled too often itself, without calling `process`.
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

  /** The connections log outages themselves, so these are logged at debug level here. */
  @OnWorkerEvent('error')
  queueFailed(error: Error): void {
    const { lane, log, model } = this.#parts;
    log[isOutage(error) ? 'debug' : 'error']({ err: error, model, lane }, 'queue');
  }

  /** Stores the permanent failure as the outcome of the task's inputs. */
  async #report(job: Job<unknown>, reason: Error): Promise<void> {
    const { model, models, operations } = this.#parts;
    let task: Task;
    try {
      task = readTask(job.data, operations);
    } catch {
      // The task cannot be read, so its job or request is unknown; the log has the reason.
      return;
    }
    await models.processor(model).failedPermanently(task, taskIdOf(job), reason);
  }
}

/** Settles like `work`, or rejects as soon as the task must go back to the queue. */
function unlessGivenUp(work: Promise<void>, holding: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(holding.reason as Error);
    holding.addEventListener('abort', giveUp, { once: true });
    void work.then(resolve, reject).finally(() => holding.removeEventListener('abort', giveUp));
  });
}

/**
 * Gives a task that goes back to the queue precedence over all prioritised tasks, since it had its turn already. Its
 * old fair-queueing tag is stale: far too high if tags were reset meanwhile, or so low that new tags would start from
 * it (see `fair-queueing.lua`).
 */
async function moveToFront(job: Job<unknown>): Promise<void> {
  // Best effort: if Redis is unavailable, the task's lock expires, which puts it in front as well.
  if (job.priority > 0) await job.changePriority({ priority: 0 }).catch(() => undefined);
}

function taskIdOf(job: Job<unknown>): string {
  if (job.id === undefined) throw new UnrecoverableError('a task without an id');
  return job.id;
}

function isOutage(error: Error & { code?: string }): boolean {
  return !isNotConnectionError(error) || /^(ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND)$/.test(error.code ?? '');
}
