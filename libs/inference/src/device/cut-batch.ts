import type { RunShape } from '#model';
import type { PackedBatch } from './device.js';

/**
 * Cuts a batch into runs of a given shape. The last one is filled up with rows of one padding token; without a given
 * number of tokens, each run has those of its longest row.
 * @throws RangeError when a row is longer than a run
 */
export function* cutBatch(batch: PackedBatch, { padId, rows, tokens }: RunShape): Generator<PackedBatch> {
  const perRun = rows ?? batch.rows;
  for (let from = 0; from < batch.rows; from += perRun) {
    // Rows that only fill the run have one token: a row without any would be masked altogether.
    const lengths = new Int32Array(perRun).fill(1);
    lengths.set(batch.lengths.subarray(from, Math.min(from + perRun, batch.rows)));
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    const width = tokens ?? longest;
    if (longest > width) throw new RangeError(`a row of ${longest} tokens does not fit a run of ${width}`);
    const ids = new Int32Array(perRun * width).fill(padId);
    const types = batch.types === null ? null : new Int32Array(perRun * width);
    for (let row = 0; row < perRun && from + row < batch.rows; row++) {
      const start = (from + row) * batch.tokens;
      const end = start + lengths[row]!;
      ids.set(batch.ids.subarray(start, end), row * width);
      types?.set(batch.types!.subarray(start, end), row * width);
    }
    yield { rows: perRun, tokens: width, ids, types, lengths };
  }
}
