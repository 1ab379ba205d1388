import type { TruncationSide } from '#contracts';

/** Parts of a sequence: special tokens and prompt before the text, the text, special tokens after it. */
export interface Sequence {
  readonly head: readonly number[];
  readonly text: readonly number[];
  readonly tail: readonly number[];
}

/**
 * Truncates a sequence to `maxTokens`. Only the text loses tokens: at its end, its start, or in its middle, where the
 * first half (rounded up) and the last half of what fits are kept. If `head` and `tail` alone are too long, the
 * sequence is cut at its end.
 */
export function truncateIds({ head, text, tail }: Sequence, maxTokens: number, side: TruncationSide): Int32Array {
  const room = Math.max(0, maxTokens - head.length - tail.length);
  if (text.length <= room) return Int32Array.from([...head, ...text, ...tail]);
  const first = side === 'end' ? room : side === 'start' ? 0 : Math.ceil(room / 2);
  const last = room - first;
  const kept = [...text.slice(0, first), ...(last === 0 ? [] : text.slice(-last))];
  return Int32Array.from([...head, ...kept, ...tail]).subarray(0, maxTokens);
}
