import type { TruncationSide } from '#contracts';
import { joined, slice, type Tokens } from './tokens.js';

/** Parts of a sequence: special tokens and prompt before the text, the text, special tokens after it. */
export interface Sequence {
  readonly head: readonly Tokens[];
  /**
   * The tokens of the text and null; or of a text that is longer than what fits, at least as many of its first tokens and
   * of its last tokens as fit.
   */
  readonly text: readonly [first: Tokens, last: Tokens | null];
  readonly tail: Tokens;
}

/**
 * Truncates a sequence to `maxTokens`. Only the text loses tokens: at its end, its start, or in its middle, where the
 * first half (rounded up) and the last half of what fits are kept. If `head` and `tail` alone are too long, the
 * sequence is cut at its end.
 * @returns what is kept of each part: those of the head, the text, the tail
 */
export function truncateSequence({ head, text, tail }: Sequence, maxTokens: number, side: TruncationSide): Tokens[] {
  const around = head.reduce((sum, { ids }) => sum + ids.length, tail.ids.length);
  const room = Math.max(0, maxTokens - around);
  const [start, end] = text;
  if (end === null && start.ids.length <= room) return atMost([...head, start, tail], maxTokens);
  const first = side === 'end' ? room : side === 'start' ? 0 : Math.ceil(room / 2);
  const last = end ?? start;
  const kept = joined(slice(start, 0, first), slice(last, last.ids.length - (room - first)));
  return atMost([...head, kept, tail], maxTokens);
}

/** The first `count` tokens. */
function atMost(parts: readonly Tokens[], count: number): Tokens[] {
  let left = count;
  return parts.map((part) => {
    const kept = part.ids.length <= left ? part : slice(part, 0, left);
    left -= kept.ids.length;
    return kept;
  });
}
