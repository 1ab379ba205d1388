import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import {
  ApiError,
  isFinal,
  type JobRecord,
  MAX_PAGE_ROWS,
  npyHeader,
  type ResultsFormat,
  type ResultsQuery,
} from '#contracts';
import type { JobStore } from '#store';
import { retryAfter } from '../job-view.js';
import { binaryResults } from './binary.js';
import { ndjsonResults } from './ndjson.js';

import { pageOfResults } from './page.js';
import { RowShaper } from './row-shaper.js';

const PAGE_ROWS = 100;
const NDJSON_TYPE = 'application/x-ndjson';

/** The form a client wants its results in: by `format`, else by its `Accept` header. */
export function resultsFormat(query: ResultsQuery, accept: string | undefined): ResultsFormat {
  return query.format ?? (accept?.includes(NDJSON_TYPE) === true ? 'ndjson' : 'json');
}

/**
 * Answers a job's results as a stream that is read no faster than the client takes it.
 * @param signal ends an NDJSON answer that follows a running job, with its reason.
 * @throws ApiError 400 for a limit or dimensions out of range, 409 `job_not_finished`, 410 `results_expired`.
 */
export async function answerResults(
  store: JobStore,
  job: JobRecord,
  format: ResultsFormat,
  query: ResultsQuery,
  signal: AbortSignal,
): Promise<StreamableFile> {
  const { cursor: from, encoding_format: encoding } = query;
  const shaper = new RowShaper(job.rowDimensions, {
    dimensions: requireDimensions(query, job) ?? job.output.dimensions,
    normalize: query.normalize ?? job.output.normalize,
  });
  switch (format) {
    case 'json': {
      const limit = query.limit ?? PAGE_ROWS;
      if (limit > MAX_PAGE_ROWS) throw pageTooLong(limit);
      return stream(await begun(pageOfResults(store, job, { from, limit, shaper, encoding })), {
        type: 'application/json; charset=utf-8',
      });
    }
    case 'ndjson': {
      const limit = query.limit ?? Number.POSITIVE_INFINITY;
      const lines = ndjsonResults(store, job, { from, limit, shaper, encoding, signal });
      return stream(await begun(lines), { type: `${NDJSON_TYPE}; charset=utf-8` });
    }
    case 'f32':
    case 'npy': {
      if (!isFinal(job.state)) throw notFinished(job, format);
      const to = Math.min(job.texts, from + (query.limit ?? job.texts));
      const rows = Math.max(0, to - from);
      const header = format === 'npy' ? npyHeader(rows, shaper.dimensions) : Buffer.alloc(0);
      return stream(await begun(headed(header, binaryResults(store, job, from, to, shaper))), {
        type: 'application/octet-stream',
        disposition: `attachment; filename="${job.id}.${format}"`,
        length: header.length + rows * shaper.dimensions * Float32Array.BYTES_PER_ELEMENT,
      });
    }
  }
}

function stream(
  pieces: AsyncIterable<string | Buffer>,
  options: { type: string; disposition?: string; length?: number },
): StreamableFile {
  return new StreamableFile(Readable.from(pieces), options);
}

/** Waits for the first piece, so that an error in it becomes a status and not a broken connection. */
async function begun<T>(pieces: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await pieces.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* pieces;
  })();
}

async function* headed(header: Buffer, rows: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head = header;
  for await (const block of rows) {
    yield head.length === 0 ? block : Buffer.concat([head, block]);
    head = Buffer.alloc(0);
  }
  if (head.length > 0) yield head;
}

function requireDimensions({ dimensions }: ResultsQuery, job: JobRecord): number | null {
  if (dimensions === undefined) return null;
  if (dimensions <= job.rowDimensions) return dimensions;
  throw new ApiError({
    status: 400,
    code: 'invalid_dimensions',
    message: `Model ${job.model} has ${job.rowDimensions} dimensions; ${dimensions} cannot be had.`,
    param: 'dimensions',
  });
}

function pageTooLong(limit: number): ApiError {
  return new ApiError({
    status: 400,
    code: 'limit_too_large',
    message: `A page has at most ${MAX_PAGE_ROWS} rows, not ${limit}; format=ndjson, f32 or npy has them all.`,
    param: 'limit',
  });
}

function notFinished(job: JobRecord, format: string): ApiError {
  const seconds = retryAfter(job);
  return new ApiError({
    status: 409,
    code: 'job_not_finished',
    message: `Job ${job.id} is ${job.state}; format=${format} needs a finished one. format=ndjson follows a running one.`,
    ...(seconds === null ? {} : { retryAfter: seconds }),
  });
}
