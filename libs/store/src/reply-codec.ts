import { type TaskTimings, taskTimingsSchema, type TextError, type TextResult } from '#contracts';
import { decodeRow, encodeRow, rowBytes } from './row-codec.js';

/**
 * A reply is the answer to a waiting request's task: `[u32 rows][u32 dimensions][rows, zeros where a text failed]`
 * and then JSON, `[[index, error], …]`, of the texts that did, or `{errors: [[index, error], …], timings}` for a task
 * that asks for timings. Little-endian.
 */
const HEADER_BYTES = 8;

export function encodeReply(results: readonly TextResult[], timings?: TaskTimings): Buffer {
  const dimensions = results.find((result) => result.ok)?.vector.length ?? 0;
  const size = rowBytes(dimensions);
  const errors: [number, TextError][] = [];
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(results.length, 0);
  header.writeUInt32LE(dimensions, 4);
  const parts: Buffer[] = [header];
  for (const [index, result] of results.entries()) {
    if (!result.ok) errors.push([index, result.error]);
    parts.push(result.ok ? encodeRow(result) : Buffer.alloc(size));
  }
  if (timings !== undefined) parts.push(Buffer.from(JSON.stringify({ errors, timings })));
  else if (errors.length > 0) parts.push(Buffer.from(JSON.stringify(errors)));
  return Buffer.concat(parts);
}

/** Vectors are copies. */
export function decodeReply(reply: Buffer): TextResult[] {
  const rows = reply.readUInt32LE(0);
  const dimensions = reply.readUInt32LE(4);
  const size = rowBytes(dimensions);
  const tail = tailOf(reply);
  const errors = new Map(Array.isArray(tail) ? tail : tail.errors);
  return Array.from({ length: rows }, (_, index): TextResult => {
    const error = errors.get(index);
    if (error !== undefined) return { ok: false, error };
    const start = HEADER_BYTES + index * size;
    return decodeRow(Buffer.from(reply.subarray(start, start + size)), dimensions);
  });
}

/** null when the task did not ask for them. */
export function replyTimings(reply: Buffer): TaskTimings | null {
  const tail = tailOf(reply);
  return Array.isArray(tail) ? null : taskTimingsSchema.parse(tail.timings);
}

type Errors = [index: number, error: TextError][];

function tailOf(reply: Buffer): Errors | { errors: Errors; timings: unknown } {
  const end = HEADER_BYTES + reply.readUInt32LE(0) * rowBytes(reply.readUInt32LE(4));
  return end < reply.length ? (JSON.parse(reply.toString('utf8', end)) as ReturnType<typeof tailOf>) : [];
}
