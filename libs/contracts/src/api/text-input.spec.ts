import fc from 'fast-check';
import { z } from 'zod';
import { embeddingsInputSchema, textsInputSchema } from './text-input.js';

const ids = z.array(z.int().nonnegative());
const embeddingsForms = z.union([z.string(), z.array(z.string()), ids, z.array(ids)]);
const textsForms = z.union([z.string(), z.array(z.string())]);

const item = fc.oneof(fc.string(), fc.nat(), fc.integer(), fc.double(), fc.constant(null), fc.array(fc.nat()));
const input = fc.oneof(
  fc.anything(),
  item,
  fc.array(item),
  fc.array(fc.string()),
  fc.array(fc.nat()),
  fc.array(fc.array(fc.oneof({ weight: 9, arbitrary: fc.nat() }, { weight: 1, arbitrary: item }))),
);

it('accepts exactly the forms that it describes', () => {
  fc.assert(
    fc.property(input, (value) => {
      expect(embeddingsInputSchema.safeParse(value).success).toBe(embeddingsForms.safeParse(value).success);
      expect(textsInputSchema.safeParse(value).success).toBe(textsForms.safeParse(value).success);
    }),
    { numRuns: 1000 },
  );
});

it.each<[string, unknown, PropertyKey[], RegExp]>([
  ['nothing', undefined, [], /^must be a string, a list of strings, a list of token ids, or a list of such lists$/],
  ['a number', 5, [], /^must be a string, a list/],
  ['an object first', ['a', {}], [1], /^must be a string$/],
  ['an odd first item', [null, 'a'], [0], /^must be a string, a token id, or a list of token ids$/],
  ['half an id', [1, 2.5], [1], /^must be a token id, an integer of at least 0$/],
  ['a text among ids', [1, 'a'], [1], /^must be a token id/],
  ['a text among lists', [[1], 'a'], [1], /^must be a list of token ids$/],
  ['an id below 0', [[1], [3, -1]], [1, 1], /^must be a token id/],
])('says where and what: %s', (_, value, path, message) => {
  expect(embeddingsInputSchema.safeParse(value).error?.issues).toEqual([
    expect.objectContaining({ path, message: expect.stringMatching(message) }),
  ]);
});

it('tells one fault of a list that has a million', () => {
  for (const schema of [embeddingsInputSchema, textsInputSchema])
    expect(schema.safeParse(Array(1_000_000).fill(null)).error?.issues).toHaveLength(1);
});
