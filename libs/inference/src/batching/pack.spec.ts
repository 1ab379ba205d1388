import fc from 'fast-check';
import { pack } from './pack.js';

const ids = fc.array(fc.nat({ max: 9999 }), { minLength: 1, maxLength: 12 });
const rows = fc.array(fc.tuple(ids, fc.boolean()), { minLength: 1, maxLength: 8 });

it('pads every row at its end to the longest, and its segments with it', () => {
  fc.assert(
    fc.property(rows, fc.nat({ max: 5 }), (drawn, padId) => {
      const inputs = drawn.map(([own, isPair]) => ({
        ids: Int32Array.from(own),
        types: isPair ? Int32Array.from(own, (id) => id % 2) : null,
      }));
      const longest = Math.max(...drawn.map(([own]) => own.length));
      const batch = pack(inputs, padId);
      const padded = (numbers: readonly number[], pad: number) =>
        Array.from({ length: longest }, (_, n) => numbers[n] ?? pad);
      expect([batch.rows, batch.tokens]).toEqual([drawn.length, longest]);
      expect([...batch.lengths]).toEqual(drawn.map(([own]) => own.length));
      expect([...batch.ids]).toEqual(drawn.flatMap(([own]) => padded(own, padId)));
      if (drawn.some(([, isPair]) => isPair)) {
        const typesOf = (isPair: boolean, own: readonly number[]) => (isPair ? own.map((id) => id % 2) : []);
        expect([...batch.types!]).toEqual(drawn.flatMap(([own, isPair]) => padded(typesOf(isPair, own), 0)));
      } else {
        expect(batch.types).toBeNull();
      }
    }),
  );
});

it('says how long the prompts are, where there are any', () => {
  const row = { ids: Int32Array.of(1, 2), types: null };
  expect(pack([row, { ...row, promptTokens: 0 }], 0).promptTokens).toBeUndefined();
  expect([...pack([row, { ...row, promptTokens: 2 }], 0).promptTokens!]).toEqual([0, 2]);
});
