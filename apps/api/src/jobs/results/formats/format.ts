import type { JobRecord } from '#contracts';
import type { RowWriter } from '../../../output/output-shape.js';
import type { JobRows } from '../job-rows.js';

/** A request for results, and the sources of its response. */
export interface ResultsRequest {
  readonly job: JobRecord;
  readonly rows: JobRows;
  /** For rows of a job as its record has them: a job without rows can still be replanned for rows of another length. */
  readonly writerOf: (job: JobRecord) => RowWriter;
  /** First position to return. */
  readonly from: number;
  /** Maximum rows to return; undefined: the format's default. */
  readonly limit: number | undefined;
  /** Ends a response that follows a running job, with its reason. */
  readonly signal: AbortSignal;
}

/** A response that is written piece by piece. */
export interface ResultsStream {
  /** Content type. */
  readonly type: string;
  /** Read with backpressure: no faster than the client reads. */
  readonly pieces: AsyncGenerator<string | Buffer>;
  readonly disposition?: string;
  /** Content length in bytes, if known in advance. */
  readonly length?: number;
}

/**
 * A format of a job's results.
 * @throws ApiError for a limit out of range, or a job state that the format does not support
 */
export type ResultsFormatter = (request: ResultsRequest) => ResultsStream;
