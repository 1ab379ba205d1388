import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import {
  ApiError,
  type Caller,
  type Environment,
  jobLaneDefault,
  type JobRecord,
  jobRequestSchema,
  jobUploadOptionsSchema,
} from '#contracts';
import { parse } from '../errors/parse.js';
import type { Planner } from '../planning/planner.js';
import type { RateLimits } from '../limits/rate-limits.js';
import { estimateTokens } from '../limits/token-estimate.js';
import type { JobIntake } from './job-intake.js';
import { ndjsonLines } from './ndjson-lines.js';
import { shuttingDown } from './shutting-down.js';
import { Upload } from './upload.js';
import { checkTexts, textOfLine } from './upload-texts.js';

/** A text of so many bytes may take six times as many as JSON (`\u0000`), and has something around it. */
const lineLimit = (maxTextBytes: number) => 6 * maxTextBytes + 1024;

/** How long an upload may go on after the shutdown began, ms. */
const CLOSING_MS = 10_000;

/** The limits of one job request. */
export type JobLimits = Pick<Environment, 'EMBED_MAX_JOB_INPUTS' | 'EMBED_MAX_TEXT_BYTES' | 'EMBED_BODY_TIMEOUT_MS'>;

/** Turns what a client posted into a job: checks first, then the plan, then the intake. */
export class JobRequests {
  readonly #planner: Planner;
  readonly #intake: JobIntake;
  readonly #rates: RateLimits;
  readonly #limits: JobLimits;
  readonly #uploads = new Set<Upload>();

  constructor(planner: Planner, intake: JobIntake, rates: RateLimits, limits: JobLimits) {
    this.#planner = planner;
    this.#intake = intake;
    this.#rates = rates;
    this.#limits = limits;
  }

  /** A JSON body: all texts at once. Nothing is enqueued unless everything is right. */
  async list(body: unknown, caller: Caller, reply: FastifyReply): Promise<JobRecord> {
    const { input, ...options } = parse(jobRequestSchema, body);
    const texts = (typeof input === 'string' ? [input] : input).map((text) => text.toWellFormed());
    this.#requireCount(texts.length);
    checkTexts(texts, this.#limits.EMBED_MAX_TEXT_BYTES);
    const plan = await this.#planner.plan(options, jobLaneDefault, caller, reply.request.id);
    const charge = await this.#rates.charge(caller, estimateTokens(texts, plan.card.maxTokens), reply);
    return this.#intake.take(plan, texts).catch(async (error: unknown) => {
      await charge.refused(error);
      throw error;
    });
  }

  /** An NDJSON body: texts as they come; the options stand in the query. */
  async upload(query: unknown, body: Readable, caller: Caller, reply: FastifyReply): Promise<JobRecord> {
    const upload = new Upload(body, this.#limits.EMBED_BODY_TIMEOUT_MS);
    this.#uploads.add(upload);
    try {
      const options = parse(jobUploadOptionsSchema, query);
      const plan = await this.#planner.plan(options, jobLaneDefault, caller, reply.request.id);
      await this.#rates.request(caller, reply);
      return await this.#intake.receive(plan, this.#texts(upload), upload);
    } finally {
      this.#uploads.delete(upload);
      upload.discardRest();
    }
  }

  /** A shutdown cannot wait for the longest upload: those that are not done soon are told to come again. */
  close(): void {
    const stop = () => {
      for (const upload of this.#uploads) upload.stop(shuttingDown('The rest of the upload was not read.'));
    };
    setTimeout(stop, CLOSING_MS).unref();
  }

  async *#texts(upload: Upload): AsyncGenerator<string> {
    const { EMBED_MAX_TEXT_BYTES: maxTextBytes } = this.#limits;
    for await (const line of ndjsonLines(upload.chunks(), lineLimit(maxTextBytes)))
      yield textOfLine(line, maxTextBytes);
  }

  #requireCount(count: number): void {
    const most = this.#limits.EMBED_MAX_JOB_INPUTS;
    if (count === 0) {
      throw new ApiError({ status: 400, code: 'empty_input', message: 'input is an empty list.', param: 'input' });
    }
    if (count > most) {
      throw new ApiError({
        status: 400,
        code: 'too_many_inputs',
        message: `input has ${count} texts, more than the ${most} of one JSON job (EMBED_MAX_JOB_INPUTS). Upload them as application/x-ndjson, which has no such limit.`,
        param: 'input',
      });
    }
  }
}
