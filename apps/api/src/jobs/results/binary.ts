import type { JobRecord } from '#contracts';
import type { JobStore } from '#store';
import { type Outcome, READ_ROWS, readOutcomes } from './job-rows.js';
import type { RowShaper } from './row-shaper.js';

/**
 * Rows `[from, to)` of a final job as little-endian float32, row after row, in blocks of many rows.
 * A text without a vector is a row of NaN.
 */
export async function* binaryResults(
  store: JobStore,
  job: JobRecord,
  from: number,
  to: number,
  shaper: RowShaper,
): AsyncGenerator<Buffer> {
  for (let next = from; next < to; next += READ_ROWS) {
    const outcomes = await readOutcomes(store, job, next, Math.min(READ_ROWS, to - next));
    yield blockOf(outcomes, shaper);
  }
}

/** A plain function, since V8 is late to optimise what runs inside a generator. */
function blockOf(outcomes: readonly Outcome[], shaper: RowShaper): Buffer {
  const block = new Float32Array(outcomes.length * shaper.dimensions);
  for (const [index, outcome] of outcomes.entries()) {
    const row = block.subarray(index * shaper.dimensions, (index + 1) * shaper.dimensions);
    if (outcome !== null && 'row' in outcome) shaper.shapeInto(outcome.row, row);
    else row.fill(Number.NaN);
  }
  return Buffer.from(block.buffer);
}
