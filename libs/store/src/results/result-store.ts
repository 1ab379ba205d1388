import type { JobRecord, Row } from '#contracts';

/** What a result store needs to know about a job. */
export type JobRef = Pick<JobRecord, 'id' | 'rowBytes'>;

export interface PlacedRow {
  readonly position: number;
  readonly row: Row;
}

/** Bytes that the ledger writes in the same script that counts them. All keys have the job's hash tag. */
export type RowWrite =
  /** Written to a string by SETRANGE. */
  | { readonly key: string; readonly offset: number; readonly bytes: Buffer }
  /** Written to a hash by HSET. */
  | { readonly key: string; readonly field: number; readonly bytes: Buffer };

/**
 * A result store keeps the rows of jobs by position in the input. Writes are idempotent: a position always gets the
 * same row. Deliberately not part of it: which positions are missing, errors, and counts; those are the job ledger's.
 */
export interface ResultStore {
  /**
   * Prepares the rows of one unit to be counted. A store outside Redis has written them durably when this resolves, and
   * returns nothing; a store in Redis returns what the ledger's script must write, so that rows and counts are atomic.
   */
  stage(job: JobRef, rows: readonly PlacedRow[]): Promise<readonly RowWrite[]>;
  /** Rows of `[from, from + count)`; null where there is none yet. Views on larger buffers: copy rows that are kept. */
  read(job: JobRef, from: number, count: number): Promise<(Row | null)[]>;
  /** Whether each position has a row, in order. Does not read the rows. */
  written(job: JobRef, positions: readonly number[]): Promise<boolean[]>;
  /** Sets the TTL of the rows of the first `texts` positions to `ttlMs` from now. */
  renew(job: Pick<JobRef, 'id'>, texts: number, ttlMs: number): Promise<void>;
}
