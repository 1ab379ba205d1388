import fc from 'fast-check';
import { encodeRow, type Outcome, type TextError } from '#contracts';
import { decodeReply, encodeReply } from './reply-codec.js';

const row = fc
  .tuple(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 0x7fff_ffff }), fc.boolean())
  .map(([payload, tokens, truncated]): Outcome => encodeRow(payload, tokens, truncated));
const error: fc.Arbitrary<TextError> = fc.record({
  code: fc.constantFrom('inference_failed' as const, 'cancelled' as const, 'model_changed' as const),
  message: fc.string({ unit: 'grapheme' }),
});
const ms = fc.float({ min: 0, max: 1e7, noNaN: true });
const reply = fc.record({
  outcomes: fc.array(fc.oneof({ weight: 3, arbitrary: row }, error), { maxLength: 20 }),
  timings: fc.record({ queueMs: ms, tokenizeMs: ms, batchMs: ms, inferenceMs: ms }),
});

it('gives back any reply: rows of whatever length and errors in their places, and where the time went', () => {
  fc.assert(
    fc.property(reply, fc.nat({ max: 5 }), (one, offset) => {
      // As it comes from pub/sub: behind other bytes.
      const news = Buffer.concat([Buffer.alloc(offset, 7), encodeReply(one)]);
      expect(decodeReply(news.subarray(offset))).toEqual(one);
    }),
  );
});
