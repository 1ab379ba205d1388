import { setInterval } from 'node:timers';
import { ApiError, type JobRecord } from '#contracts';
import type { RateLimits } from '../access/rate-limits.js';
import { estimateTokens } from '../access/token-estimate.js';
import type { Inputs } from '../input/inputs.js';
import { textTooLong, tooLong } from '../input/too-long.js';
import { toApiError } from '../http/to-api-error.js';
import type { TokenLimit } from '../planning/token-limit.js';
import type { Plan } from '../planning/planner.js';
import type { BulkAdmission } from './bulk-admission.js';
import type { CancelledJobs } from './cancelled-jobs.js';
import { type InputWindow, inputWindows } from './input-windows.js';
import { jobPath } from './job-view.js';
import { OpenJob, type OpenJobParts, type RefusedInput } from './open-job.js';
import type { Upload } from './sources/upload.js';

/** How often the record of an upload is refreshed, and a cancellation noticed, while no window is submitted, ms. */
const TOUCH_MS = 10_000;

export interface JobIntakeParts extends OpenJobParts {
  readonly tokenLimit: TokenLimit;
  readonly admission: BulkAdmission;
  readonly rates: Pick<RateLimits, 'pace'>;
  readonly cancelled: CancelledJobs;
}

/**
 * Turns inputs into a job, window by window. While one window of an upload is looked up, accepted and enqueued, the
 * next is read; no more than these two are in memory. When a method returns, the queue Redis has acknowledged every
 * task.
 */
export class JobIntake {
  readonly #parts: JobIntakeParts;

  constructor(parts: JobIntakeParts) {
    this.#parts = parts;
  }

  /**
   * Creates a job from a complete list of inputs. All checks run before anything is enqueued.
   * @throws ApiError 429 `queue_full`; 400 `text_too_long` with `truncate: error`; 503 when the queue is unavailable.
   */
  async take(plan: Plan, inputs: Inputs): Promise<JobRecord> {
    await this.#parts.admission.require(plan.card.name, plan.caller, inputs.values.length);
    if (plan.refuseTooLong) await this.#requireShort(plan, inputs);
    const job = new OpenJob(plan, this.#parts);
    try {
      for await (const window of inputWindows(inputs.values, plan.operation)) await this.#submit(job, window);
      return await job.seal();
    } catch (error) {
      throw await this.#abandon(job, error);
    }
  }

  /**
   * Creates a job from an upload in progress. The upload is slowed while the queue is full. With `truncate: error`,
   * only the texts that are too long fail.
   * @throws ApiError for a fault in the upload; `details` and `Location` name the partial job, if there is one.
   */
  async receive(plan: Plan, inputs: AsyncIterable<unknown>, upload: Upload): Promise<JobRecord> {
    const { admission, rates } = this.#parts;
    const job = new OpenJob(plan, this.#parts);
    // An ApiError means that the job has ended, so stop. Any other error will recur with the next window.
    const touch = () => job.touch().catch((error: unknown) => error instanceof ApiError && upload.stop(error));
    const touching = setInterval(() => void touch(), TOUCH_MS);
    try {
      const windows = inputWindows(inputs, plan.operation);
      let next = windows.next();
      for (let window = await next; window.done !== true; window = await next) {
        next = windows.next();
        next.catch(() => undefined); // The rejection is handled where `next` is awaited.
        await admission.wait(plan.card.name, plan.caller, upload.signal);
        await rates.pace(plan.caller, estimateTokens(plan, window.value.inputs), upload.signal);
        await this.#submit(job, window.value, await this.#refuse(plan, window.value.inputs));
      }
      if (!job.created) throw noInputs();
      return await job.seal();
    } catch (error) {
      upload.stop(new Error('The upload is over.'));
      throw await this.#abandon(job, error);
    } finally {
      clearInterval(touching);
    }
  }

  async #submit(job: OpenJob, window: InputWindow, refused: readonly RefusedInput[] = []): Promise<void> {
    await job.submit(window, refused);
    this.#parts.admission.took(job.plan.card.name, job.plan.caller, window.inputs.length);
  }

  async #refuse(plan: Plan, inputs: readonly unknown[]): Promise<RefusedInput[]> {
    if (!plan.refuseTooLong) return [];
    const found = await this.#parts.tokenLimit.tooLong(plan, inputs);
    return found.map((one) => ({ index: one.index, error: tooLong('The text', one, plan.card) }));
  }

  async #requireShort(plan: Plan, inputs: Inputs): Promise<void> {
    for await (const window of inputWindows(inputs.values, plan.operation)) {
      const [first] = await this.#parts.tokenLimit.tooLong(plan, window.inputs);
      if (first !== undefined) throw textTooLong(inputs.param(window.from + first.index), first, plan.card);
    }
  }

  /** Fails a job whose inputs are incomplete. @returns the error to throw, which names the job if there is one. */
  async #abandon(job: OpenJob, cause: unknown): Promise<unknown> {
    if (!job.created) return cause;
    const fault = toApiError(cause, { consequence: 'The job was not accepted completely; send it again.' });
    // Best effort: if Redis is away, the store lets the record expire as an upload that was never finished.
    await this.#parts.jobs.fail(job.id, { code: fault.code, message: fault.message }).catch(() => undefined);
    this.#parts.cancelled.drop({ id: job.id, model: job.plan.card.name, lane: job.plan.lane, units: job.units });
    return new ApiError({
      status: fault.status,
      type: fault.type,
      code: fault.code,
      message: fault.message,
      param: fault.param,
      ...(fault.retryAfter === undefined ? {} : { retryAfter: fault.retryAfter }),
      headers: { ...fault.headers, Location: jobPath(job.id) },
      details: { ...fault.details, job_id: job.id, accepted: job.accepted },
      cause: fault.cause,
    });
  }
}

function noInputs(): ApiError {
  return new ApiError({ status: 400, code: 'empty_input', message: 'The upload holds no text.', param: 'input' });
}
