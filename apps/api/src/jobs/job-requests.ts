import type { Readable } from 'node:stream';
import {
  type Caller,
  embed,
  jobLaneDefault,
  type JobRecord,
  jobRequestSchema,
  jobUploadOptionsSchema,
} from '#contracts';
import type { FastifyReply } from 'fastify';
import type { RateLimits } from '../access/rate-limits.js';
import { estimateTokens } from '../access/token-estimate.js';
import { parse } from '../http/parse.js';
import type { InputReader } from '../input/input-reader.js';
import type { Closing } from '../operation/closing.js';
import type { Planner } from '../planning/planner.js';
import type { JobIntake } from './job-intake.js';
import { shuttingDown } from './shutting-down.js';
import { ndjsonLines } from './sources/ndjson-lines.js';
import { Upload } from './sources/upload.js';
import { textOfLine } from './sources/upload-texts.js';

/** Longest NDJSON line, bytes: JSON escapes take up to 6 bytes per byte of text (`\u0000`); 1024 for the rest. */
const lineLimit = (maxTextBytes: number) => 6 * maxTextBytes + 1024;

/** How long uploads may continue after the shutdown began, ms. */
const CLOSING_MS = 10_000;

export interface JobRequestsParts {
  readonly planner: Planner;
  readonly intake: JobIntake;
  readonly rates: RateLimits;
  readonly reader: InputReader;
  readonly closing: Closing;
  /** Longest pause of an upload, ms. */
  readonly bodyTimeoutMs: number;
}

/** Turns a posted body into a job: checks, then plan, then intake. */
export class JobRequests {
  readonly #parts: JobRequestsParts;
  readonly #uploads = new Set<Upload>();

  constructor(parts: JobRequestsParts) {
    this.#parts = parts;
    parts.closing.signal.addEventListener('abort', this.#close);
  }

  /** Creates a job from a JSON body. Nothing is enqueued unless all texts pass the checks. */
  async list(body: unknown, caller: Caller, reply: FastifyReply): Promise<JobRecord> {
    const { intake, planner, rates, reader } = this.#parts;
    const { input, ...options } = parse(jobRequestSchema, body);
    const inputs = await reader.readAll(input);
    const plan = await planner.plan(embed.name, options, jobLaneDefault, caller, reply.request.id);
    return rates.charged(caller, estimateTokens(plan, inputs.values), reply, () => intake.take(plan, inputs));
  }

  /** Creates a job from an NDJSON body while it arrives; the options are in the query. */
  async upload(query: unknown, body: Readable, caller: Caller, reply: FastifyReply): Promise<JobRecord> {
    const { bodyTimeoutMs, intake, planner, rates } = this.#parts;
    const upload = new Upload(body, bodyTimeoutMs);
    this.#uploads.add(upload);
    try {
      const options = parse(jobUploadOptionsSchema, query);
      const plan = await planner.plan(embed.name, options, jobLaneDefault, caller, reply.request.id);
      await rates.request(caller, reply);
      return await intake.receive(plan, this.#texts(upload), upload);
    } finally {
      this.#uploads.delete(upload);
      upload.discardRest();
    }
  }

  async *#texts(upload: Upload): AsyncGenerator<string> {
    const { reader } = this.#parts;
    for await (const line of ndjsonLines(upload.chunks(), lineLimit(reader.maxTextBytes))) {
      yield textOfLine(line, reader);
    }
  }

  /** A shutdown cannot wait for long uploads: after 10 s the rest get 503 and must be sent again. */
  readonly #close = (): void => {
    const stop = () => {
      for (const upload of this.#uploads) upload.stop(shuttingDown('The rest of the upload was not read.'));
    };
    setTimeout(stop, CLOSING_MS).unref();
  };
}
