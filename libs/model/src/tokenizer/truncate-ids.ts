import type { TruncationSide } from '#contracts';

/** Parts of a sequence: special tokens and prompt before the text, the text, special tokens after it. */
export interface Sequence {
  readonly head: readonly number[];
  /**
   * The ids of the text and null; or of a text that is longer than what fits, at least as many of its first ids and of
   * its last ids as fit.
   */
  readonly text: readonly [first: readonly number[], last: readonly number[] | null];
  readonly tail: readonly number[];
}

/**
 * Truncates a sequence to `maxTokens`. Only the text loses tokens: at its end, its start, or in its middle, where the
 * first half (rounded up) and the last half of what fits are kept. If `head` and `tail` alone are too long, the
 * sequence is cut at its end.
 */
export function truncateIds({ head, text, tail }: Sequence, maxTokens: number, side: TruncationSide): Int32Array {
  const room = Math.max(0, maxTokens - head.length - tail.length);
  const [start, end] = text;
  if (end === null && start.length <= room) return Int32Array.from([...head, ...start, ...tail]).subarray(0, maxTokens);
  const first = side === 'end' ? room : side === 'start' ? 0 : Math.ceil(room / 2);
  const last = room - first;
  const kept = [...start.slice(0, first), ...(last === 0 ? [] : (end ?? start).slice(-last))];
  return Int32Array.from([...head, ...kept, ...tail]).subarray(0, maxTokens);
}
