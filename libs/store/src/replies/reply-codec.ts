import { isRow, type Outcome, type TaskTimings, type TextError } from '#contracts';

/** A worker's reply to a waiting request's task. */
export interface Reply {
  /** One per input of the task, in order. Rows are views on the reply's bytes: copy those that are kept. */
  readonly outcomes: readonly Outcome[];
  readonly timings: TaskTimings;
}

/*
 * Binary format of a reply, little-endian: `[u32: number of outcomes][float32 x 4: queue, tokenise, batch and inference
 * ms]`, then for each outcome `[u32: bytes | error << 31]`, then their bytes: the row, or a `TextError` as JSON.
 */
const HEAD_BYTES = 4 + 4 * 4;
const ERROR = 0x8000_0000;

export function encodeReply({ outcomes, timings }: Reply): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES + 4 * outcomes.length);
  head.writeUInt32LE(outcomes.length, 0);
  const { batchMs, inferenceMs, queueMs, tokenizeMs } = timings;
  for (const [n, ms] of [queueMs, tokenizeMs, batchMs, inferenceMs].entries()) head.writeFloatLE(ms, 4 + 4 * n);
  const parts: Buffer[] = [head];
  for (const [index, outcome] of outcomes.entries()) {
    const bytes = isRow(outcome) ? outcome : Buffer.from(JSON.stringify(outcome));
    head.writeUInt32LE((bytes.length | (isRow(outcome) ? 0 : ERROR)) >>> 0, HEAD_BYTES + 4 * index);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

export function decodeReply(reply: Buffer): Reply {
  const count = reply.readUInt32LE(0);
  const ms = (n: number) => reply.readFloatLE(4 + 4 * n);
  let start = HEAD_BYTES + 4 * count;
  const outcomes = Array.from({ length: count }, (_, index): Outcome => {
    const length = reply.readUInt32LE(HEAD_BYTES + 4 * index);
    const bytes = reply.subarray(start, (start += length & ~ERROR));
    return length >= ERROR ? (JSON.parse(bytes.toString('utf8')) as TextError) : bytes;
  });
  return { outcomes, timings: { queueMs: ms(0), tokenizeMs: ms(1), batchMs: ms(2), inferenceMs: ms(3) } };
}
