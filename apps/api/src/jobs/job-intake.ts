import { setInterval } from 'node:timers';
import { ApiError, type JobRecord } from '#contracts';
import { isRedisAway } from '#store';
import type { RateLimits } from '../limits/rate-limits.js';
import { estimateTokens } from '../limits/token-estimate.js';
import { type TokenLimit, tooLongMessage } from '../planning/token-limit.js';
import type { Plan } from '../planning/planner.js';
import type { AbandonedWork } from './abandoned-work.js';
import { jobPath } from './job-view.js';
import { OpenJob, type OpenJobParts, type RefusedText } from './open-job.js';
import type { QueueRoom } from './queue-room.js';
import { type TextWindow, textWindows } from './text-windows.js';
import type { Upload } from './upload.js';
import { inputParam } from './upload-texts.js';

/** How often the record of an upload is refreshed, and a cancel noticed, while nothing else does it. */
const TOUCH_MS = 10_000;

/**
 * The intake turns texts into a job, a window at a time: while one is looked up, accepted and enqueued the next is
 * read, and no more than these two are held. When it returns a record, the queue Redis has acknowledged everything.
 */
export class JobIntake {
  readonly #parts: OpenJobParts;
  readonly #tokenLimit: TokenLimit;
  readonly #room: QueueRoom;
  readonly #rates: Pick<RateLimits, 'pace'>;
  readonly #work: AbandonedWork;

  constructor(
    parts: OpenJobParts,
    tokenLimit: TokenLimit,
    room: QueueRoom,
    rates: Pick<RateLimits, 'pace'>,
    work: AbandonedWork,
  ) {
    this.#parts = parts;
    this.#tokenLimit = tokenLimit;
    this.#room = room;
    this.#rates = rates;
    this.#work = work;
  }

  /**
   * A job whose texts are all here. Everything is checked before anything is enqueued.
   * @throws ApiError 429 `queue_full`; 400 `text_too_long` with `truncate: error`; 503 when the queue is away.
   */
  async take(plan: Plan, texts: readonly string[]): Promise<JobRecord> {
    await this.#room.require(plan.card.name, plan.caller);
    if (plan.refuseTooLong) await this.#requireShort(plan, texts);
    const job = new OpenJob(plan, this.#parts);
    try {
      for await (const window of textWindows(texts)) await this.#submit(job, window);
      return await job.seal();
    } catch (error) {
      throw await this.#abandon(job, error);
    }
  }

  /**
   * A job whose texts are still coming. It is slowed while the queue is full, and with `truncate: error` a text that
   * is too long fails alone.
   * @throws ApiError of a fault in the upload; `details` and `Location` name the partial job, if there is one.
   */
  async receive(plan: Plan, texts: AsyncIterable<string>, upload: Upload): Promise<JobRecord> {
    const job = new OpenJob(plan, this.#parts);
    // Errors other than a cancel are for the next window to meet.
    const touch = () => job.touch().catch((error: unknown) => error instanceof ApiError && upload.stop(error));
    const touching = setInterval(() => void touch(), TOUCH_MS);
    try {
      const windows = textWindows(texts);
      let next = windows.next();
      for (let window = await next; window.done !== true; window = await next) {
        next = windows.next();
        next.catch(() => undefined); // Thrown where it is awaited.
        await this.#room.wait(plan.card.name, plan.caller, upload.signal);
        const tokens = estimateTokens(window.value.texts, plan.card.maxTokens);
        await this.#rates.pace(plan.caller, tokens, upload.signal);
        await this.#submit(job, window.value, await this.#refuse(plan, window.value.texts));
      }
      if (!job.created) throw noTexts();
      return await job.seal();
    } catch (error) {
      upload.stop(new Error('The upload is over.'));
      throw await this.#abandon(job, error);
    } finally {
      clearInterval(touching);
    }
  }

  async #submit(job: OpenJob, window: TextWindow, refused: readonly RefusedText[] = []): Promise<void> {
    await job.submit(window, refused);
    this.#room.took(job.plan.card.name, job.plan.caller, window.texts.length);
  }

  async #refuse(plan: Plan, texts: readonly string[]): Promise<RefusedText[]> {
    if (!plan.refuseTooLong) return [];
    const tooLong = await this.#tokenLimit.tooLong(plan, texts);
    return tooLong.map(({ index, tokens }) => ({
      index,
      error: { code: 'text_too_long', message: tooLongMessage('The text', tokens, plan) },
    }));
  }

  async #requireShort(plan: Plan, texts: readonly string[]): Promise<void> {
    for await (const window of textWindows(texts)) {
      const [first] = await this.#tokenLimit.tooLong(plan, window.texts);
      if (first === undefined) continue;
      const param = inputParam(window.from + first.index, texts.length);
      const message = tooLongMessage(param, first.tokens, plan);
      throw new ApiError({ status: 400, code: 'text_too_long', message, param });
    }
  }

  /** Ends a job that will not be complete. @returns the error to answer, which names the job if there is one. */
  async #abandon(job: OpenJob, cause: unknown): Promise<unknown> {
    if (!job.created) return cause;
    const fault = asFault(cause);
    // Best effort: if Redis is away, the store lets the record expire as an upload that was never finished.
    await this.#parts.store.fail(job.id, { code: fault.code, message: fault.message }).catch(() => undefined);
    this.#work.drop({ id: job.id, model: job.plan.card.name, lane: job.plan.lane, units: job.units });
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

function noTexts(): ApiError {
  return new ApiError({ status: 400, code: 'empty_input', message: 'The upload holds no text.', param: 'input' });
}

function asFault(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  if (!isRedisAway(cause)) {
    const message = 'Something went wrong in the service; the job was not accepted completely.';
    return new ApiError({ status: 500, code: 'internal_error', message, cause });
  }
  return new ApiError({
    status: 503,
    code: 'queue_unavailable',
    message: 'The queue cannot be reached at the moment; the job was not accepted completely. Send it again.',
    retryAfter: 2,
    cause,
  });
}
