import fc from 'fast-check';
import { SLICE_ROWS } from '#contracts';
import { sliceRuns } from './slice-runs.js';

const ROW_BYTES = 3;

it('puts every row where it stands and writes each run within one slice', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 4 * SLICE_ROWS }), { maxLength: 200 }), (positions) => {
      const rows = positions.map((position) => ({ position, row: Buffer.from([1, position & 255, position >> 8]) }));
      const written = new Map<number, Buffer>();
      for (const { slice, byteOffset, bytes } of sliceRuns(rows, ROW_BYTES)) {
        expect(byteOffset + bytes.length).toBeLessThanOrEqual(SLICE_ROWS * ROW_BYTES);
        for (let at = 0; at < bytes.length; at += ROW_BYTES) {
          const position = slice * SLICE_ROWS + (byteOffset + at) / ROW_BYTES;
          expect(written.has(position)).toBe(false);
          written.set(position, bytes.subarray(at, at + ROW_BYTES));
        }
      }
      expect([...written].sort(([a], [b]) => a - b)).toEqual(
        rows.map(({ position, row }) => [position, row] as const).sort(([a], [b]) => a - b),
      );
    }),
  );
});

it('joins neighbours into one run for each slice', () => {
  const rows = Array.from({ length: 2 * SLICE_ROWS }, (_, n) => ({ position: n + 1, row: Buffer.from([n, n, n]) }));
  expect(sliceRuns(rows, ROW_BYTES).map(({ slice, byteOffset, bytes }) => [slice, byteOffset, bytes.length])).toEqual([
    [0, ROW_BYTES, (SLICE_ROWS - 1) * ROW_BYTES],
    [1, 0, SLICE_ROWS * ROW_BYTES],
    [2, 0, ROW_BYTES],
  ]);
});
