import fc from 'fast-check';
import type { EmbeddedText, TextResult } from '#contracts';
import { decodeReply, encodeReply } from './replies/reply-codec.js';
import { decodeRow, encodeRow, rowBytes, rowTokens, rowTruncated } from './row-codec.js';

const DIMENSIONS = 5;

const embedded: fc.Arbitrary<EmbeddedText> = fc.record({
  ok: fc.constant(true as const),
  vector: fc.float32Array({ minLength: DIMENSIONS, maxLength: DIMENSIONS }),
  tokens: fc.integer({ min: 1, max: 0x7fff_ffff }),
  truncated: fc.boolean(),
});
const result: fc.Arbitrary<TextResult> = fc.oneof(
  embedded,
  fc.record({
    ok: fc.constant(false as const),
    error: fc.record({
      code: fc.constantFrom('inference_failed' as const, 'cancelled' as const),
      message: fc.string({ unit: 'grapheme' }),
    }),
  }),
);

it('gives back any row, wherever it stands in a larger buffer', () => {
  fc.assert(
    fc.property(embedded, fc.nat({ max: 9 }), (text, offset) => {
      const row = encodeRow(text);
      expect(row).toHaveLength(rowBytes(DIMENSIONS));
      const reply = Buffer.concat([Buffer.alloc(offset, 7), row, Buffer.alloc(3, 7)]);
      const found = reply.subarray(offset, offset + row.length);
      expect(decodeRow(found, DIMENSIONS)).toEqual(text);
      expect([rowTokens(found), rowTruncated(found)]).toEqual([text.tokens, text.truncated]);
    }),
  );
});

it('is little-endian: tokens and the truncated bit, then the floats', () => {
  const row = encodeRow({ ok: true, vector: Float32Array.of(1, -2), tokens: 258, truncated: true });
  expect(row.toString('hex')).toBe('02010080' + '0000803f' + '000000c0');
});

it('refuses a row of another size', () => {
  const row = encodeRow({ ok: true, vector: new Float32Array(4), tokens: 1, truncated: false });
  expect(() => decodeRow(row, DIMENSIONS)).toThrow(RangeError);
});

it('gives back any reply, errors in their places', () => {
  fc.assert(
    fc.property(fc.array(result, { minLength: 1, maxLength: 20 }), (results) => {
      expect(decodeReply(encodeReply(results))).toEqual(results);
    }),
  );
});
