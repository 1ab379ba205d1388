import { z } from 'zod';
import type { TextError } from './text-error.js';

/**
 * A row is the result of one input as bytes: `[u32 little-endian: tokens | truncated << 31]`, then the operation's
 * payload, such as `[float32 x dimensions]`. The engine encodes it and the API's `output/` decodes it; all code in
 * between reads at most the first four bytes. A row with zero tokens was never written.
 */
export type Row = Buffer;

/** The result of one input: its row, or why it has none. */
export type Outcome = Row | TextError;

/** Bytes before a row's payload. */
export const ROW_HEAD_BYTES = 4;
const TRUNCATED = 0x8000_0000;

/** Bounds on the length of one kind of row, bytes, head included. Equal bounds: all rows have the same length. */
export const rowBytesSchema = z.object({
  least: z.int().min(ROW_HEAD_BYTES),
  most: z.int().min(ROW_HEAD_BYTES),
});
export type RowBytes = z.infer<typeof rowBytesSchema>;

/** Row length for a payload of this many float32. */
export function rowsOfFloats(floats: number): RowBytes {
  const bytes = ROW_HEAD_BYTES + floats * Float32Array.BYTES_PER_ELEMENT;
  return { least: bytes, most: bytes };
}

/** Whether all rows of this kind have the same length, so that the offset of a row follows from its position. */
export function isFixed({ least, most }: RowBytes): boolean {
  return least === most;
}

/** Whether untrusted bytes, from a cache for example, can be a row of this kind. */
export function fitsRow(bytes: Buffer, { least, most }: RowBytes): bytes is Row {
  return bytes.length >= least && bytes.length <= most && rowTokens(bytes) > 0;
}

export function isRow(outcome: Outcome): outcome is Row {
  return Buffer.isBuffer(outcome);
}

/**
 * Encodes a row.
 * @param tokens tokens the model computed: special tokens and prompt included, after truncation
 * @param into `[ROW_HEAD_BYTES + payload.byteLength]`; default: a new buffer
 * @returns `into`
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

/** Tokens of the input; 0 when the row was never written. @param row the row, or only its first `ROW_HEAD_BYTES` */
export function rowTokens(row: Buffer): number {
  return row.readUInt32LE(0) & ~TRUNCATED;
}

/** Whether the input exceeded the model's limit and was truncated. */
export function rowTruncated(row: Row): boolean {
  return row.readUInt32LE(0) >= TRUNCATED;
}

/** The bytes after the head: a view on the row, not a copy. */
export function rowPayload(row: Row): Buffer {
  return row.subarray(ROW_HEAD_BYTES);
}

/** The payload as floats: a view on the row if it is aligned to 4 bytes, else a copy. */
export function rowFloats(row: Row): Float32Array {
  const start = row.byteOffset + ROW_HEAD_BYTES;
  const floats = Math.floor((row.length - ROW_HEAD_BYTES) / Float32Array.BYTES_PER_ELEMENT);
  if (start % Float32Array.BYTES_PER_ELEMENT === 0) return new Float32Array(row.buffer, start, floats);
  return new Float32Array(row.buffer.slice(start, start + floats * Float32Array.BYTES_PER_ELEMENT));
}
