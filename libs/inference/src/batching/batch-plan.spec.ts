import fc from 'fast-check';
import { BatchPlan, type BatchLimits } from './batch-plan.js';

/** At least what one text of 12 tokens needs: 144 pairs. */
const attentionBudgets = fc.option(
  fc
    .record({ perRow: fc.integer({ min: 0, max: 8 }), perBatch: fc.integer({ min: 0, max: 8 }), texts: fc.nat(4) })
    .map(({ perBatch, perRow, texts }) => ({ perRow, perBatch, bytes: 144 * (perBatch + perRow * (1 + texts)) })),
  { nil: undefined },
);
const limits = fc.record({
  tokenBudget: fc.integer({ min: 12, max: 60 }),
  maxRows: fc.integer({ min: 1, max: 6 }),
  overheadTokens: fc.integer({ min: 0, max: 40 }),
  attention: attentionBudgets,
});
const lengths = fc
  .array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 14 })
  .map((texts) => texts.toSorted((a, b) => b - a));

/** Every way to cut the texts, tried out. */
function leastCost(sorted: readonly number[], { tokenBudget, maxRows, overheadTokens }: BatchLimits): number {
  if (sorted.length === 0) return 0;
  let least = Infinity;
  for (let rows = 1; rows <= Math.min(maxRows, sorted.length) && rows * sorted[0]! <= tokenBudget; rows++) {
    const rest = leastCost(sorted.slice(rows), { tokenBudget, maxRows, overheadTokens });
    least = Math.min(least, overheadTokens + rows * sorted[0]! + rest);
  }
  return least;
}

/** All batches of the plan, from the anchors' answers. */
function batches(plan: BatchPlan, sorted: readonly number[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (let anchor = 0; anchor < sorted.length; anchor = found.at(-1)!.to) {
    found.push(plan.around(Int32Array.from(sorted), sorted.length, anchor));
  }
  return found;
}

function cost(limit: BatchLimits, sorted: readonly number[]): number {
  return batches(new BatchPlan(limit), sorted)
    .map(({ from, to }) => limit.overheadTokens + (to - from) * sorted[from]!)
    .reduce((sum, one) => sum + one, 0);
}

describe('a batch plan', () => {
  it('costs the least of all possible plans where the limits leave them open', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), lengths, (overheadTokens, texts) => {
        const limit = { tokenBudget: 1000, maxRows: 100, overheadTokens };
        expect(cost(limit, texts)).toBe(leastCost(texts, limit));
      }),
    );
  });

  it('keeps to the token budget, the row limit and the memory of attention, and puts every text into one batch', () => {
    fc.assert(
      fc.property(limits, lengths, (limit, sorted) => {
        let expected = 0;
        for (const { from, to } of batches(new BatchPlan(limit), sorted)) {
          expect(from).toBe(expected);
          expect(to - from).toBeGreaterThan(0);
          expect(to - from).toBeLessThanOrEqual(limit.maxRows);
          expect((to - from) * sorted[from]!).toBeLessThanOrEqual(limit.tokenBudget);
          const { bytes, perBatch, perRow } = limit.attention ?? { bytes: 0, perBatch: 0, perRow: 0 };
          expect(((to - from) * perRow + perBatch) * sorted[from]! ** 2).toBeLessThanOrEqual(bytes);
          expected = to;
        }
        expect(expected).toBe(sorted.length);
      }),
    );
  });

  it('keeps very different lengths apart when batches are cheap, and together when they are dear', () => {
    const texts = Int32Array.of(40, 4, 4, 4);
    const cheap = new BatchPlan({ tokenBudget: 2048, maxRows: 256, overheadTokens: 10 });
    const dear = new BatchPlan({ tokenBudget: 2048, maxRows: 256, overheadTokens: 500 });
    expect(cheap.around(texts, 4, 2)).toEqual({ from: 1, to: 4 });
    expect(dear.around(texts, 4, 2)).toEqual({ from: 0, to: 4 });
  });
});
