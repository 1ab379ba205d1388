import fc from 'fast-check';
import { Keys } from '../keys.js';
import { inputHash, saltOf, type Spec, specHash, specSchema } from './spec.js';

const EMBED: Spec = { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: 'query: ', truncate: 'end' };

// Literals computed by 0.1.0, whose cache entries are to be found.
it('gives an embedding the cache key that 0.1.0 gave it', () => {
  expect(specHash(EMBED)).toBe('naV7r9G-DNP7xJeRz78t');
  expect(specHash({ ...EMBED, ...saltOf('pepper') })).toBe('uWc-Ej4_N11lPAppL68u');
  expect(inputHash('the quick brown fox')).toBe('nss2VhNB0Y62VIToM-_qYe3HS4TPXmrh');
  expect(new Keys('em').row(specHash(EMBED), inputHash('the quick brown fox'))).toBe(
    'em:vec:naV7r9G-DNP7xJeRz78t:nss2VhNB0Y62VIToM-_qYe3HS4TPXmrh',
  );
});

it('reads a spec of 0.1.0, which names no operation, as an embedding', () => {
  const { operation: _, ...old } = EMBED;
  expect(specSchema.parse(old)).toEqual(EMBED);
});

it('differs with everything that changes a row', () => {
  const spec = fc.record({
    operation: fc.constantFrom('embed', 'rerank', 'sparse'),
    fingerprint: fc.constantFrom('a'.repeat(64), 'b'.repeat(64)),
    prompt: fc.constantFrom('', 'end', 'query: ', 'embed'),
    truncate: fc.constantFrom('end' as const, 'start' as const, 'middle' as const),
    salt: fc.option(fc.constantFrom('', 'a', 'end'), { nil: undefined }),
  });
  fc.assert(
    fc.property(spec, spec, (one, other) => {
      const [a, b] = [one, other].map(({ salt, ...rest }): Spec => (salt === undefined ? rest : { ...rest, salt }));
      expect(specHash(a!) === specHash(b!)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 1000 },
  );
});

it('has no salt where there is none, and never shows one', () => {
  expect(saltOf('')).toEqual({});
  expect(saltOf('pepper').salt).not.toContain('pepper');
});
