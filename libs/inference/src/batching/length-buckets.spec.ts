import fc from 'fast-check';
import { LengthBuckets } from './length-buckets.js';

interface Item {
  readonly length: number;
  readonly arrival: number;
}

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('add' as const), length: fc.integer({ min: 1, max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        length: fc.integer({ min: 1, max: 9 }),
        count: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('put back' as const), which: fc.nat() }) },
  ),
  { maxLength: 60 },
);

/** Plays the steps on buckets and on a plain array, which is the specification. */
function play(script: typeof steps extends fc.Arbitrary<infer S> ? S : never): {
  buckets: LengthBuckets<Item>;
  held: Item[];
} {
  const buckets = new LengthBuckets<Item>();
  let held: Item[] = [];
  const out: Item[] = [];
  let arrivals = 0;
  for (const step of script) {
    switch (step.kind) {
      case 'add': {
        const item = { length: step.length, arrival: arrivals++ };
        buckets.add(item);
        held.push(item);
        break;
      }
      case 'delete': {
        const item = held[step.which % Math.max(1, held.length)];
        if (item === undefined) break;
        expect(buckets.delete(item)).toBe(true);
        expect(buckets.delete(item)).toBe(false);
        held = held.filter((other) => other !== item);
        break;
      }
      case 'take': {
        const expected = held
          .filter((item) => item.length === step.length)
          .toSorted(byArrival)
          .slice(0, step.count);
        expect(buckets.take(step.length, step.count)).toEqual(expected);
        held = held.filter((item) => !expected.includes(item));
        out.push(...expected);
        break;
      }
      case 'put back': {
        const [item] = out.splice(step.which % Math.max(1, out.length), 1);
        if (item === undefined) break;
        buckets.add(item);
        held.push(item);
        break;
      }
    }
  }
  return { buckets, held };
}

const byArrival = (a: Item, b: Item) => a.arrival - b.arrival;

describe('length buckets', () => {
  it('hold what was added and not taken, and know the oldest', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { buckets, held } = play(script);
        expect(buckets.size).toBe(held.length);
        expect(buckets.oldest()).toEqual(held.toSorted(byArrival)[0]);
      }),
    );
  });

  it('list the lengths nearest to one, so many above it and so many from it down', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 8 }), (script, length, reach) => {
        const { buckets, held } = play(script);
        const sorted = held.map((item) => item.length).toSorted((a, b) => b - a);
        const above = sorted.filter((other) => other > length).slice(-reach);
        const below = sorted.filter((other) => other <= length).slice(0, reach);
        const into = new Int32Array(2 * reach);
        const { count, longer } = buckets.lengthsAround(length, reach, into);
        expect([...into.subarray(0, count)]).toEqual([...above, ...below]);
        expect(longer).toBe(above.length);
        expect(buckets.lengthAtMost(length)).toBe(below[0]);
      }),
    );
  });
});
