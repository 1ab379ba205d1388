import fc from 'fast-check';
import {
  encodeRow,
  fitsRow,
  isFixed,
  isRow,
  ROW_HEAD_BYTES,
  rowFloats,
  rowPayload,
  rowsOfFloats,
  rowTokens,
  rowTruncated,
} from './row.js';

const FLOATS = 5;

const text = fc.record({
  floats: fc.float32Array({ minLength: FLOATS, maxLength: FLOATS }),
  tokens: fc.integer({ min: 1, max: 0x7fff_ffff }),
  truncated: fc.boolean(),
});

it('gives back what was put into a row, wherever it stands in a larger buffer', () => {
  fc.assert(
    fc.property(text, fc.nat({ max: 9 }), ({ floats, tokens, truncated }, offset) => {
      const row = encodeRow(floats, tokens, truncated);
      expect(row).toHaveLength(rowsOfFloats(FLOATS).most);
      const reply = Buffer.concat([Buffer.alloc(offset, 7), row, Buffer.alloc(3, 7)]);
      const found = reply.subarray(offset, offset + row.length);
      expect(rowFloats(found)).toEqual(floats);
      expect([rowTokens(found), rowTruncated(found)]).toEqual([tokens, truncated]);
    }),
  );
});

it('gives back any payload, of whatever length', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat({ max: 3 }), fc.boolean(), (payload, skipped, truncated) => {
      // A payload may be a view on a larger array.
      const view = Uint8Array.of(...Array.from({ length: skipped }, () => 9), ...payload).subarray(skipped);
      const row = encodeRow(view, 3, truncated);
      expect([...rowPayload(row)]).toEqual([...payload]);
      expect([rowTokens(row), rowTruncated(row), row.length]).toEqual([3, truncated, ROW_HEAD_BYTES + payload.length]);
    }),
  );
});

it('is written where it is told to, and nowhere else', () => {
  const batch = Buffer.alloc(30, 7);
  const row = encodeRow(Float32Array.of(1, 2), 4, false, batch.subarray(8, 20));
  expect(row.buffer).toBe(batch.buffer);
  expect(rowFloats(batch.subarray(8, 20))).toEqual(Float32Array.of(1, 2));
  expect([...batch.subarray(0, 8), ...batch.subarray(20)]).toEqual(Array.from({ length: 18 }, () => 7));
});

// The bytes that 0.1.0 wrote, which caches and jobs hold.
it('is little-endian: tokens and the truncated bit, then the floats', () => {
  expect(encodeRow(Float32Array.of(1, -2), 258, true).toString('hex')).toBe('02010080' + '0000803f' + '000000c0');
});

it('tells a row from an error', () => {
  expect(isRow(encodeRow(Float32Array.of(1), 1, false))).toBe(true);
  expect(isRow({ code: 'inference_failed', message: 'no' })).toBe(false);
});

it('rows of floats all have one length', () => {
  expect(rowsOfFloats(384)).toEqual({ least: 1540, most: 1540 });
  expect(isFixed(rowsOfFloats(384))).toBe(true);
  expect(isFixed({ least: 4, most: 8 })).toBe(false);
});

it('fits only bytes within the bounds that say how many tokens there were', () => {
  const bounds = { least: 8, most: 16 };
  fc.assert(
    fc.property(fc.nat({ max: 24 }), fc.nat({ max: 2 }), fc.boolean(), (length, tokens, truncated) => {
      const row = encodeRow(new Uint8Array(length), tokens, truncated);
      expect(fitsRow(row, bounds)).toBe(row.length >= 8 && row.length <= 16 && tokens > 0);
    }),
  );
  for (let length = 0; length < ROW_HEAD_BYTES; length++) {
    expect(fitsRow(Buffer.alloc(length, 1), { least: ROW_HEAD_BYTES, most: 16 })).toBe(false);
  }
});
