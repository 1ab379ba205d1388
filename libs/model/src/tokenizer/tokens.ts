/** Where a token comes from: UTF-16 code units of a text, the end excluded, as for `slice`. */
export type Range = readonly [start: number, end: number];

export interface Tokens {
  readonly ids: readonly number[];
  /** `[ids.length]`; null: not asked for, or these are of no text. */
  readonly ranges: readonly Range[] | null;
}

/** Tokens that are of no text, such as special ones. */
export function ofNoText(ids: readonly number[]): Tokens {
  return { ids, ranges: null };
}

export function slice({ ids, ranges }: Tokens, start: number, end?: number): Tokens {
  return { ids: ids.slice(start, end), ranges: ranges === null ? null : ranges.slice(start, end) };
}

/** Tokens of one text, one after the other. */
export function joined(first: Tokens, second: Tokens): Tokens {
  const ranges = first.ranges === null || second.ranges === null ? null : [...first.ranges, ...second.ranges];
  return { ids: [...first.ids, ...second.ids], ranges };
}

/** Tokens of a text that begins `units` code units before theirs; what is before its start is left out of ranges. */
export function moved<Some extends Tokens>(tokens: Some, units: number): Some {
  if (tokens.ranges === null) return tokens;
  const place = (at: number) => Math.max(0, at + units);
  return { ...tokens, ranges: tokens.ranges.map(([start, end]): Range => [place(start), place(end)]) };
}

export function idsOf(parts: readonly Tokens[]): number[] {
  return parts.flatMap(({ ids }) => ids);
}

/** `[2 * tokens]`: start and end of each token; 0 and 0 for one that is of no text. */
export function offsetsOf(parts: readonly Tokens[]): number[] {
  return parts.flatMap(({ ids, ranges }) => (ranges === null ? ids.flatMap(() => [0, 0]) : ranges.flat()));
}
