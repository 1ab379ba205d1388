import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { isNotConnectionError, UnrecoverableError, WaitingError } from 'bullmq';
import type { Job } from 'bullmq';
import { taskSchema } from '#contracts';
import type { Lane } from '#contracts';
import { DeviceUnavailableError } from '#inference';
import type { EngineStats } from '#inference';
import type { Intake } from './intake.js';
import type { Lifecycle } from './lifecycle.js';
import type { Log } from './log.js';
import type { WorkerMetrics } from './metrics.js';
import type { Mill } from './mill.js';

export interface LaneConsumerParts {
  readonly model: string;
  readonly lane: Lane;
  readonly intake: Intake;
  readonly mill: () => Mill;
  /** The engine's. */
  readonly stats: () => EngineStats;
  readonly lifecycle: Lifecycle;
  readonly metrics: WorkerMetrics;
  readonly log: Log;
}

/**
 * A lane consumer stands between one BullMQ queue and the model's mill. It decides what the queue hears of a task that
 * did not end well: try again, back to its place in the queue, or given up and reported.
 */
export class LaneConsumer extends WorkerHost {
  readonly #parts: LaneConsumerParts;

  constructor(parts: LaneConsumerParts) {
    super();
    this.#parts = parts;
  }

  override async process(job: Job<unknown>, token?: string): Promise<void> {
    const { intake, lane, lifecycle, metrics, mill, model, stats } = this.#parts;
    const ends = metrics.taskBegins(model, lane);
    const { holding } = lifecycle;
    try {
      holding.throwIfAborted();
      const task = taskSchema.parse(job.data);
      // Not held back by a device that never answers.
      await unlessGivenUp(mill().process(task, taskIdOf(job), lane, holding), holding);
      intake.taskEnded(task.texts.length, stats());
      this.worker.concurrency = intake.tasks;
    } catch (error) {
      // The device is gone for good, which no task is to blame for: others take what this worker holds.
      if (error instanceof DeviceUnavailableError) lifecycle.leave(error);
      await letItGoFirst(job);
      if (holding.aborted) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      // Reported while the lease still holds: if this worker dies in between, the task runs once more and is reported then.
      if (job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) await this.#giveUp(job, error as Error);
      throw error;
    } finally {
      ends();
    }
  }

  @OnWorkerEvent('failed')
  failed(job: Job<unknown> | undefined, error: Error): void {
    const { lane, log, model } = this.#parts;
    // As the API's log names it.
    const reqId = taskSchema.safeParse(job?.data).data?.requestId;
    log.error({ err: error, model, lane, task: job?.id, reqId, attempt: job?.attemptsMade }, 'task failed');
    // The queue itself gives up on a task that took too many workers down; `process` never saw it then.
    if (job !== undefined && error instanceof UnrecoverableError) {
      this.#giveUp(job, error).catch((reason: unknown) =>
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

  async #giveUp(job: Job<unknown>, reason: Error): Promise<void> {
    const task = taskSchema.safeParse(job.data);
    if (task.success) await this.#parts.mill().exhausted(task.data, taskIdOf(job), reason);
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
 * by then, where tags began anew, or far behind, where it would pass for the present (see `fair-share.lua`).
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
