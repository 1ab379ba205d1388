import type { JobRecord } from '#contracts';
import type { RowWriter } from '../../../output/output-shape.js';
import type { JobRows } from '../job-rows.js';

/** What a client asked for, and what it is made of. */
export interface ResultsRequest {
  readonly job: JobRecord;
  readonly rows: JobRows;
  readonly writer: RowWriter;
  /** First position to answer. */
  readonly from: number;
  /** Most rows to answer; undefined: as many as the format gives by itself. */
  readonly limit: number | undefined;
  /** Ends an answer that follows a running job, with its reason. */
  readonly signal: AbortSignal;
}

/** An answer in the making. */
export interface ResultsStream {
  /** Of the content. */
  readonly type: string;
  /** Read no faster than the client takes it. */
  readonly pieces: AsyncGenerator<string | Buffer>;
  readonly disposition?: string;
  /** Bytes, where they are known beforehand. */
  readonly length?: number;
}

/** A form that a job's results can be had in. @throws ApiError for a limit out of range, or a job that is not ready for it */
export type ResultsFormatter = (request: ResultsRequest) => ResultsStream;
