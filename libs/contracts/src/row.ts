import { z } from 'zod';
import type { TextError } from './text-error.js';

/**
 * A row is the bytes of one result, from the device to the answer: `[u32 little-endian: tokens | truncated << 31]`, then
 * what the operation says, as `[float32 x dimensions]`. It is written once, by the engine, and read once, by the API's
 * `output/`; between the two nobody looks behind the first four bytes. A row of zero tokens was never written.
 */
export type Row = Buffer;

/** What became of one input. */
export type Outcome = Row | TextError;

/** Bytes before a row's payload. */
export const ROW_HEAD_BYTES = 4;
const TRUNCATED = 0x8000_0000;

/** How long rows of one kind are, bytes, head included. Equal bounds: all rows have the same length. */
export const rowBytesSchema = z.object({
  least: z.int().min(ROW_HEAD_BYTES),
  most: z.int().min(ROW_HEAD_BYTES),
});
export type RowBytes = z.infer<typeof rowBytesSchema>;

/** Rows of so many float32 each. */
export function rowsOfFloats(floats: number): RowBytes {
  const bytes = ROW_HEAD_BYTES + floats * Float32Array.BYTES_PER_ELEMENT;
  return { least: bytes, most: bytes };
}

/** Whether all rows of this kind have one length, so that a row is found by its position alone. */
export function isFixed({ least, most }: RowBytes): boolean {
  return least === most;
}

/** Whether bytes from outside, as a cache's, can be a row of this kind. */
export function fitsRow(bytes: Buffer, { least, most }: RowBytes): bytes is Row {
  return bytes.length >= least && bytes.length <= most && rowTokens(bytes) > 0;
}

export function isRow(outcome: Outcome): outcome is Row {
  return Buffer.isBuffer(outcome);
}

/**
 * Writes a row. @param tokens that the model saw: special tokens and prompt included, after truncation
 * @param into `[ROW_HEAD_BYTES + payload.byteLength]`; default: bytes of its own
 */
export function encodeRow(
  payload: Float32Array | Uint8Array,
  tokens: number,
  truncated: boolean,
  into: Buffer = Buffer.allocUnsafe(ROW_HEAD_BYTES + payload.byteLength),
): Row {
  into.writeUInt32LE((tokens | (truncated ? TRUNCATED : 0)) >>> 0, 0);
  into.set(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength), ROW_HEAD_BYTES);
  return into;
}

/** Tokens of the input; 0 when the row was never written. @param row or its head alone */
export function rowTokens(row: Buffer): number {
  return row.readUInt32LE(0) & ~TRUNCATED;
}

/** Whether the input was longer than the model's limit, and cut. */
export function rowTruncated(row: Row): boolean {
  return row.readUInt32LE(0) >= TRUNCATED;
}

/** What follows the head, without a copy. */
export function rowPayload(row: Row): Buffer {
  return row.subarray(ROW_HEAD_BYTES);
}

/** The payload as floats `[floats]`: a view on the row where its alignment allows, else a copy. */
export function rowFloats(row: Row): Float32Array {
  const start = row.byteOffset + ROW_HEAD_BYTES;
  const floats = Math.floor((row.length - ROW_HEAD_BYTES) / Float32Array.BYTES_PER_ELEMENT);
  if (start % Float32Array.BYTES_PER_ELEMENT === 0) return new Float32Array(row.buffer, start, floats);
  return new Float32Array(row.buffer.slice(start, start + floats * Float32Array.BYTES_PER_ELEMENT));
}
