import { cosine } from '../../../test/support/front-door.js';

/** Below this, a peer does not compute the same thing, and its time is not comparable. */
export const LEAST_AGREEMENT = 0.999;

/** Least cosine with the reference vectors. */
export interface Agreement {
  /** Over the texts within the model's limit; this decides whether a peer is comparable. */
  readonly whole: number;
  /** Over the texts that were truncated, which tools do in different ways. */
  readonly cut: number;
}

export const FULL_AGREEMENT: Agreement = { whole: 1, cut: 1 };

/**
 * How far vectors agree; -1 when `a` and `b` differ in length, or when a cosine is NaN.
 * @param a `[texts, dimensions]`, like `b`
 * @param cut for each text, whether it is longer than the limit
 */
export function agreement(a: Float32Array, b: Float32Array, cut: readonly boolean[]): Agreement {
  if (a.length !== b.length) return { whole: -1, cut: -1 };
  const dimensions = a.length / cut.length;
  let found = FULL_AGREEMENT;
  cut.forEach((isCut, row) => {
    const [start, end] = [row * dimensions, (row + 1) * dimensions];
    const alike = cosine(a.subarray(start, end), b.subarray(start, end));
    const value = Number.isNaN(alike) ? -1 : alike;
    found = least(found, isCut ? { whole: 1, cut: value } : { whole: value, cut: 1 });
  });
  return found;
}

/** The minimum of each member. */
export function least(a: Agreement, b: Agreement): Agreement {
  return { whole: Math.min(a.whole, b.whole), cut: Math.min(a.cut, b.cut) };
}
