import { SLICE_ROWS } from '#contracts';
import type { PlacedRow } from './result-store.js';

/** A run is a series of consecutive rows within one slice, written by one SETRANGE. */
export interface SliceRun {
  readonly slice: number;
  readonly byteOffset: number;
  readonly bytes: Buffer;
}

/** Joins rows of `rowSize` bytes into as few runs as possible. If a position occurs twice, the last row is kept. */
export function sliceRuns(rows: readonly PlacedRow[], rowSize: number): SliceRun[] {
  const sorted = isAscending(rows) ? rows : [...rows].sort((a, b) => a.position - b.position);
  const runs: SliceRun[] = [];
  for (let start = 0; start < sorted.length;) {
    const { position } = sorted[start]!;
    const slice = Math.floor(position / SLICE_ROWS);
    let end = start + 1;
    while (
      end < sorted.length &&
      sorted[end]!.position === position + end - start &&
      sorted[end]!.position < (slice + 1) * SLICE_ROWS
    )
      end++;
    const stretch = sorted.slice(start, end).map(({ row }) => row);
    runs.push({
      slice,
      byteOffset: (position % SLICE_ROWS) * rowSize,
      bytes: stretch.length === 1 ? stretch[0]! : Buffer.concat(stretch),
    });
    start = end;
  }
  return runs;
}

function isAscending(rows: readonly PlacedRow[]): boolean {
  return rows.every((row, index) => index === 0 || rows[index - 1]!.position < row.position);
}
