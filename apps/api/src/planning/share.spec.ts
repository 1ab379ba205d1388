import fc from 'fast-check';
import { excessOf } from './share.js';

const LIMIT = 100;
const waiting = (texts: Record<string, number>) => new Map(Object.entries(texts));

it.each<[string, Record<string, number>, string, number, number]>([
  ['fits', { a: 60 }, 'a', 40, 0],
  ['is over by as much as all would be', { a: 60 }, 'a', 41, 1],
  ['counts the others, too', { a: 30, b: 60 }, 'c', 50, 40],
  ['may be over the limit by itself while nothing waits', {}, 'a', 1000, 0],
  ['is in an empty queue where others have finished', { a: 0, b: 0 }, 'a', 1000, 0],
  ['has no share of its own while it is alone', { a: 100 }, 'a', 1, 1],
  ['is within its share, however much the other has', { a: 500 }, 'b', 50, 0],
  ['is over its share', { a: 500 }, 'b', 51, 451],
  ['shares with everybody who waits', { a: 500, b: 1, c: 1 }, 'd', 25, 0],
  ['shares with everybody who waits, itself included', { a: 500, b: 1, c: 1 }, 'd', 26, 428],
  ['does not share with those who have nothing left', { a: 500, b: 0, c: 0 }, 'd', 50, 0],
])('what a key asks for %s', (_, texts, key, asked, excess) => {
  expect(excessOf(LIMIT, waiting(texts), key, asked)).toBe(excess);
});

it('no key keeps another from its share', () => {
  const requests = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: LIMIT })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(requests, (asked) => {
      const byKey = new Map<string, number>();
      for (const [key, texts] of asked) {
        const own = byKey.get(key) ?? 0;
        const all = [...byKey.values()].reduce((sum, one) => sum + one, 0);
        const keys = new Set([...byKey.keys(), key]).size;
        const excess = excessOf(LIMIT, byKey, key, texts);
        if (keys > 1 && own + texts <= LIMIT / keys) expect(excess).toBe(0);
        if (excess > 0) expect(excess).toBe(all + texts - LIMIT);
        else byKey.set(key, own + texts);
        expect(byKey.get(key) ?? 0).toBeLessThanOrEqual(LIMIT);
      }
    }),
  );
});
