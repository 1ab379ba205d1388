import type { Provider } from '../../provider.js';

/**
 * Bytes that a graph's attention holds at its peak for each pair of tokens, beside what grows with the number of tokens:
 * a batch needs `(rows x perRow + perBatch) x tokens^2`.
 */
export interface AttentionMemory {
  readonly perRow: number;
  readonly perBatch: number;
}

/** What a family's attention holds in a graph for a provider. */
export type AttentionOn = (provider: Provider) => AttentionMemory;

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
export function squareAttention(heads: number, biased = false): AttentionOn {
  const perRow = FLOAT_BYTES * heads;
  return (provider) => {
    if (provider === 'cpu') return { perRow, perBatch: biased ? perRow : 0 };
    // The bias is joined with what a token of each row may attend to.
    const { perRow: plain } = plainAttention(heads);
    return biased ? { perRow: plain + perRow, perBatch: perRow } : { perRow: plain, perBatch: 0 };
  };
}

/**
 * `GroupQueryAttention`, on a CPU. A causal one computes its scores in blocks unless a window is added to them; any
 * other one holds them all. Other providers have a bias for each pair of tokens of a row instead.
 * @param heads of queries
 */
export function groupedAttention(heads: number, causal: boolean, windowed: boolean): AttentionOn {
  return (provider) => {
    if (provider !== 'cpu') return plainAttention(heads);
    if (causal && !windowed) return { perRow: 0, perBatch: 0 };
    const perRow = causal ? 0 : FLOAT_BYTES * heads;
    return { perRow, perBatch: windowed ? Math.max(FLOAT_BYTES, WINDOW_BYTES - perRow) : 0 };
  };
}

/** Attention made of single operators, with a mask for each pair of tokens of a row. */
export function plainAttention(heads: number): AttentionMemory {
  return { perRow: PLAIN_TENSORS * FLOAT_BYTES * heads + FLOAT_BYTES, perBatch: 0 };
}

/** Of encoders that have none. */
export function noAttention(): AttentionMemory {
  return { perRow: 0, perBatch: 0 };
}
