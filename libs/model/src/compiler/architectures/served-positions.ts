import type { JsonFile } from '../../config/closed-file.js';

/**
 * Most tokens of a text. Attention holds one score for each head and pair of tokens: with 12 heads 3 GiB for a text of
 * 8,192 tokens, and 48 GiB for one of 32,768. The number is part of fingerprints, so it does not depend on the machine.
 */
const MOST_POSITIONS = 8192;

/** @returns the number of positions to serve, and a warning when the model has more */
export function servedPositions(
  file: JsonFile,
  positions: number,
): { readonly positions: number; readonly warnings: readonly string[] } {
  if (positions <= MOST_POSITIONS) return { positions, warnings: [] };
  const warning =
    `${file.path}: the model has ${positions} positions; Embedmill serves ${MOST_POSITIONS}, because the memory of ` +
    `attention grows with the square of a text's length`;
  return { positions: MOST_POSITIONS, warnings: [warning] };
}
