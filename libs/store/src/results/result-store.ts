import type { JobRecord, Row } from '#contracts';

/** What a result store must know of a job. */
export type JobRef = Pick<JobRecord, 'id' | 'rowBytes'>;

export interface PlacedRow {
  readonly position: number;
  readonly row: Row;
}

/** Bytes that the ledger writes in the same step in which it counts them. All keys share the job's hash tag. */
export type RowWrite =
  /** Into a string, by SETRANGE. */
  | { readonly key: string; readonly offset: number; readonly bytes: Buffer }
  /** Into a hash, by HSET. */
  | { readonly key: string; readonly field: number; readonly bytes: Buffer };

/**
 * A result store keeps the rows of jobs by their position in the input. Writing is idempotent: whoever writes a position
 * writes the same row. Deliberately not part of it: which positions are due, errors, and counts, which are the job
 * ledger's.
 */
export interface ResultStore {
  /**
   * Makes rows of one unit ready to be counted: a store outside Redis has them durably when this resolves, and returns
   * nothing; one in Redis returns what the ledger's script has to write, so that rows and counts are one step.
   */
  stage(job: JobRef, rows: readonly PlacedRow[]): Promise<readonly RowWrite[]>;
  /** Rows of positions `[from, from + count)`; null where there is none (yet). Views on larger buffers: copy what is kept. */
  read(job: JobRef, from: number, count: number): Promise<(Row | null)[]>;
  /** Whether each position has its row, in order. Reads no rows. */
  written(job: JobRef, positions: readonly number[]): Promise<boolean[]>;
  /** Lets the rows of the first `texts` positions live for `ttlMs` from now on. */
  renew(job: Pick<JobRef, 'id'>, texts: number, ttlMs: number): Promise<void>;
}
