import { z } from 'zod';

/** Why a text has no vector: a code of the service, or of the reading of the input. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

/** What became of one text. */
export interface VectorRow {
  /** Of the text in the input, from 0. */
  readonly index: number;
  /** As the input names it; null: it does not. */
  readonly id: string | null;
  /** `[dimensions]` or the fault. */
  readonly vector: Float32Array | Fault;
}

/** How far a file is written: as much of it as is on the disk for certain. */
export const fileMarkSchema = z.object({
  rows: z.int(),
  bytes: z.int(),
  /** Of Arrow: where its record batches stand, `[offset, metadata bytes, body bytes]`. */
  batches: z.array(z.tuple([z.int(), z.int(), z.int()])).optional(),
});
export type FileMark = z.infer<typeof fileMarkSchema>;

/**
 * A vector file takes rows in input order and can be taken up again from a mark, by another process too. It is no
 * whole file of its format before `finish`.
 */
export interface VectorFile {
  /** Opens it anew, or cuts it back to a mark and goes on from there. */
  open(mark: FileMark | null): Promise<void>;
  append(rows: readonly VectorRow[]): Promise<void>;
  /** Brings everything to the disk. */
  mark(): Promise<FileMark>;
  /** Makes it whole, brings it to the disk, and closes it. */
  finish(): Promise<void>;
  /** Leaves it as it is. */
  close(): Promise<void>;
}

export function isFault(vector: VectorRow['vector']): vector is Fault {
  return !(vector instanceof Float32Array);
}
