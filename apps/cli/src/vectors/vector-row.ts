import { z } from 'zod';

/** Why a text has no vector: an error of the service, or of reading the input. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

/** The result of one text. */
export interface VectorRow {
  /** Index of the text in the input, from 0. */
  readonly index: number;
  /** Id of the text in the input; null when it has none. */
  readonly id: string | null;
  /** `[dimensions]`, or why the text has no vector. */
  readonly vector: Float32Array | Fault;
}

/** How much of a file is known to be on disk. */
export const fileMarkSchema = z.object({
  rows: z.int(),
  bytes: z.int(),
  /** Arrow only: positions of the record batches, `[offset, metadata bytes, body bytes]`. */
  batches: z.array(z.tuple([z.int(), z.int(), z.int()])).optional(),
});
export type FileMark = z.infer<typeof fileMarkSchema>;

/**
 * Writes rows to a file in input order. Writing can continue from a mark, also in another process. Before `finish`, the
 * file is not valid in its format.
 */
export interface VectorFile {
  /** @param mark truncates the file to it and continues from there; null: starts an empty file */
  open(mark: FileMark | null): Promise<void>;
  append(rows: readonly VectorRow[]): Promise<void>;
  /** Flushes everything to disk. @returns where writing can continue */
  mark(): Promise<FileMark>;
  /** Completes the file, flushes it to disk and closes it. */
  finish(): Promise<void>;
  /** Closes the file without completing it. */
  close(): Promise<void>;
}

export function isFault(vector: VectorRow['vector']): vector is Fault {
  return !(vector instanceof Float32Array);
}
