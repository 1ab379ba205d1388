import type { Fault } from '../vectors/vector-row.js';
import type { TextRecord } from './text-records.js';

/** Maximum size of a part: it bounds what is uploaded again when a job is lost, and the memory of parts in progress. */
export interface PartLimits {
  readonly texts: number;
  /** Bytes of JSON; a longer text becomes a part by itself. */
  readonly bytes: number;
}

/** One text of a part, or why it cannot be embedded. */
export interface PartText {
  readonly id: string | null;
  readonly text: string | Fault;
}

/** A range of the input that is embedded as one job. */
export interface Part {
  /** Index of its first text in the input. */
  readonly first: number;
  readonly texts: readonly PartText[];
  /** Offset in the input after the part. */
  readonly end: number;
}

/**
 * Splits records into parts. Deterministic: starting at the end of any part gives the same parts from there on.
 * @param first index of the first record in the input
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
