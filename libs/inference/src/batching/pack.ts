import type { PackedBatch } from '../device/device.js';

/** Token ids of one input, and the segment of each token; `types` is null when all are of segment 0. */
export interface PackedInput {
  readonly ids: Int32Array;
  readonly types: Int32Array | null;
  /** Tokens of the prompt, with those before it. Default: 0. */
  readonly promptTokens?: number;
}

/**
 * Packs token ids into one batch. Each row is padded at its end to the longest.
 * @param rows at least one, none of them empty
 */
export function pack(rows: readonly PackedInput[], padId: number): PackedBatch {
  const tokens = rows.reduce((longest, row) => Math.max(longest, row.ids.length), 0);
  const ids = new Int32Array(rows.length * tokens);
  if (padId !== 0) ids.fill(padId);
  const types = rows.some((row) => row.types !== null) ? new Int32Array(ids.length) : null;
  const lengths = new Int32Array(rows.length);
  const promptTokens = Int32Array.from(rows, ({ promptTokens: count = 0 }) => count);
  for (const [index, row] of rows.entries()) {
    ids.set(row.ids, index * tokens);
    if (row.types !== null) types!.set(row.types, index * tokens);
    lengths[index] = row.ids.length;
  }
  const prompted = promptTokens.some((count) => count > 0);
  return { rows: rows.length, tokens, ids, types, lengths, ...(prompted ? { promptTokens } : {}) };
}
