import { ApiError, isFinal, isRow, type JobRecord, npyHeader, type Outcome } from '#contracts';
import type { RowWriter } from '../../../output/output-shape.js';
import { retryAfter } from '../../job-view.js';
import { READ_ROWS } from '../job-rows.js';
import type { ResultsFormatter, ResultsRequest } from './format.js';

/** `format=f32`: little-endian float32 `[rows, width]` without a header, of a final job. */
export const f32: ResultsFormatter = (request) => binary(request, 'f32', () => Buffer.alloc(0));

/** `format=npy`: the same with a NumPy header. */
export const npy: ResultsFormatter = (request) => binary(request, 'npy', npyHeader);

function binary(
  request: ResultsRequest,
  format: 'f32' | 'npy',
  headerOf: (rows: number, width: number) => Buffer,
): ReturnType<ResultsFormatter> {
  const { from, job, limit = job.texts, writerOf } = request;
  if (!isFinal(job.state)) throw notFinished(job, format);
  const to = Math.min(job.texts, from + limit);
  const rows = Math.max(0, to - from);
  const writer = writerOf(job);
  const header = headerOf(rows, writer.width);
  return {
    type: 'application/octet-stream',
    pieces: headed(header, binaryResults(request, to, writer)),
    disposition: `attachment; filename="${job.id}.${format}"`,
    length: header.length + rows * writer.width * Float32Array.BYTES_PER_ELEMENT,
  };
}

/** Rows up to position `to` (exclusive), in blocks of `READ_ROWS`. An input without a row becomes a row of NaN. */
async function* binaryResults(
  { from, job, rows }: ResultsRequest,
  to: number,
  writer: RowWriter,
): AsyncGenerator<Buffer> {
  for (let next = from; next < to; next += READ_ROWS) {
    yield blockOf(await rows.read(job, next, Math.min(READ_ROWS, to - next)), writer);
  }
}

/** A plain function, since V8 optimises generator bodies late. */
function blockOf(outcomes: readonly (Outcome | null)[], writer: RowWriter): Buffer {
  const { width } = writer;
  const block = new Float32Array(outcomes.length * width);
  for (const [index, outcome] of outcomes.entries()) {
    const target = block.subarray(index * width, (index + 1) * width);
    if (outcome !== null && isRow(outcome)) writer.into(outcome, target);
    else target.fill(Number.NaN);
  }
  return Buffer.from(block.buffer);
}

async function* headed(header: Buffer, rows: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head = header;
  for await (const block of rows) {
    yield head.length === 0 ? block : Buffer.concat([head, block]);
    head = Buffer.alloc(0);
  }
  if (head.length > 0) yield head;
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
