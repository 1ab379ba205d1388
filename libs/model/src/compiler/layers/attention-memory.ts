/**
 * Bytes that a graph's attention holds at its peak for each pair of tokens, beside what grows with the number of tokens:
 * a batch needs `(rows x perRow + perBatch) x tokens^2`.
 */
export interface AttentionMemory {
  readonly perRow: number;
  readonly perBatch: number;
}

/** Scores are fp32 whatever the graph's precision is: a CPU has no attention in half precision. */
const FLOAT_BYTES = 4;
/** What addWindow holds of each pair of tokens while it computes: two int64. Afterwards one float is left. */
const WINDOW_BYTES = 16;
/** Tensors of scores that attention made of single operators holds: one before an operator and one after it. */
const PLAIN_TENSORS = 2;

/**
 * Operators that hold a score for each head and pair of tokens: `Attention`, `MultiHeadAttention` with a mask.
 * @param biased whether a bias for each head and pair is added, one for all rows
 */
export function squareAttention(heads: number, biased = false): AttentionMemory {
  const perRow = FLOAT_BYTES * heads;
  return { perRow, perBatch: biased ? perRow : 0 };
}

/**
 * `GroupQueryAttention`. A causal one computes its scores in blocks unless a window is added to them; any other one
 * holds them all.
 * @param heads of queries
 */
export function groupedAttention(heads: number, causal: boolean, windowed: boolean): AttentionMemory {
  if (causal && !windowed) return { perRow: 0, perBatch: 0 };
  const perRow = causal ? 0 : FLOAT_BYTES * heads;
  return { perRow, perBatch: windowed ? Math.max(FLOAT_BYTES, WINDOW_BYTES - perRow) : 0 };
}

/** A found graph, whose operators are taken to be the standard ones, with a mask for each pair of tokens of a row. */
export function plainAttention(heads: number): AttentionMemory {
  return { perRow: PLAIN_TENSORS * FLOAT_BYTES * heads + FLOAT_BYTES, perBatch: 0 };
}
