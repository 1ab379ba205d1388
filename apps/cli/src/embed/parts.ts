import type { Fault } from '../vectors/vector-row.js';
import type { TextRecord } from './text-records.js';

/** Bounds of a part: what a lost job costs to send again, and what is held in memory a few times. */
export interface PartLimits {
  readonly texts: number;
  /** Of JSON; a longer text is a part of its own. */
  readonly bytes: number;
}

/** One text of a part, or why there is none. */
export interface PartText {
  readonly id: string | null;
  readonly text: string | Fault;
}

/** A part is as much of the input as one job takes. */
export interface Part {
  /** Index of its first text in the input. */
  readonly first: number;
  readonly texts: readonly PartText[];
  /** Offset in the input after it. */
  readonly end: number;
}

/**
 * Cuts records into parts. The same records give the same parts, wherever among their ends one begins.
 * @param first index of the first record
 */
export async function* partsOf(
  records: AsyncIterable<TextRecord>,
  first: number,
  limits: PartLimits,
): AsyncGenerator<Part> {
  let next = first;
  let texts: PartText[] = [];
  let bytes = 0;
  let end = 0;
  const cut = (): Part => {
    const part = { first: next, texts, end };
    next += texts.length;
    texts = [];
    bytes = 0;
    return part;
  };
  for await (const { end: recordEnd, id, text } of records) {
    const lineBytes = typeof text === 'string' ? Buffer.byteLength(JSON.stringify(text)) + 1 : 0;
    if (texts.length > 0 && (texts.length === limits.texts || bytes + lineBytes > limits.bytes)) yield cut();
    texts.push({ id, text });
    bytes += lineBytes;
    end = recordEnd;
  }
  if (texts.length > 0) yield cut();
}
