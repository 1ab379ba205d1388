import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootError, isRow, type Outcome, rowFloats, rowTokens, rowTruncated, type ServedModel } from '#contracts';
import { loadModel, type RunnableModel } from '#model';
import { BERT_VOCAB_SIZE, makeBertModel, POISON_TEXT } from '../../../../test/support/random-model.js';
import type { Engine, RunOptions } from './engine.js';
import { type EngineStartOptions, startEngine } from './start-engine.js';

const bulk: RunOptions = { prompt: '', truncate: 'end', lane: 'bulk' };
const settings: EngineStartOptions = {
  device: 'cpu',
  threads: 1,
  tokenBudget: 2048,
  bulkShare: 0.2,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-engine-'));
});
afterAll(() => rm(folder, { recursive: true }));

const load = (served: ServedModel, deviceMemory?: number): Promise<RunnableModel> =>
  loadModel(served, {
    modelDir: join(folder, 'models'),
    hfEndpoint: 'http://127.0.0.1:1',
    device: 'cpu',
    deviceMemory,
  });

const compute = (engine: Engine, texts: readonly string[], options = bulk) =>
  engine.run(
    texts.map((text) => [text] as const),
    options,
  );

function vectorOf(outcome: Outcome | undefined): Float32Array {
  if (outcome === undefined || !isRow(outcome)) throw new Error(`no row: ${JSON.stringify(outcome)}`);
  return rowFloats(outcome);
}

function tokensOf(outcome: Outcome | undefined): [tokens: number, truncated: boolean] {
  if (outcome === undefined || !isRow(outcome)) throw new Error(`no row: ${JSON.stringify(outcome)}`);
  return [rowTokens(outcome), rowTruncated(outcome)];
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, place) => sum + value * y[place]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('the engine over the default model', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine(await load({ name: 'all-MiniLM-L6-v2', source: 'all-MiniLM-L6-v2' }), settings);
  });
  afterAll(() => engine.close());

  it('gives the vectors the model is known for', async () => {
    const [outcome] = await compute(engine, ['This is an example sentence']);
    const raw = vectorOf(outcome);
    const norm = Math.hypot(...raw);
    expect(raw).toHaveLength(384);
    for (const [place, known] of [0.0677, 0.0636, 0.0487, 0.0794].entries()) {
      expect(raw[place]! / norm).toBeCloseTo(known, 4);
    }
    expect(tokensOf(outcome)).toEqual([7, false]);
  });

  it('gives a text the same vector alone and among others', async () => {
    const texts = ['night', 'A map of the town.', 'mill '.repeat(60), '你好，世界', '🙂 fine', 'return x => x + 1;'];
    const together = await compute(engine, [...texts, ...texts.toReversed()]);
    for (const [index, text] of texts.entries()) {
      const [alone] = await compute(engine, [text], { ...bulk, lane: 'interactive' });
      expect(cosine(vectorOf(together[index]), vectorOf(alone))).toBeGreaterThan(0.99999);
      expect(cosine(vectorOf(together.at(-1 - index)), vectorOf(alone))).toBeGreaterThan(0.99999);
    }
  });

  it('cuts a text beyond the limit and says so', async () => {
    const [long] = await compute(engine, ['word '.repeat(1000)]);
    expect(tokensOf(long)).toEqual([256, true]);
  });

  it('leaves the event loop free while it infers', async () => {
    let ticks = 0;
    let ticksAtBatch: number | undefined;
    const timer = setInterval(() => ticks++, 2);
    engine.onBatch(({ deviceMs, paddedTokens }) => {
      if (paddedTokens < 1000) return;
      ticksAtBatch ??= ticks;
      expect(deviceMs).toBeGreaterThan(20);
    });
    await compute(engine, ['word '.repeat(1000), 'more '.repeat(1000), 'text '.repeat(1000), 'here '.repeat(1000)]);
    clearInterval(timer);
    expect(ticksAtBatch).toBeGreaterThan(5);
  });

  it('refuses a token budget below the longest text', async () => {
    const model = await load({ name: 'all-MiniLM-L6-v2', source: 'all-MiniLM-L6-v2' });
    await expect(startEngine(model, { ...settings, tokenBudget: 128 })).rejects.toThrow(BootError);
  });
});

describe('the engine with little memory for attention', () => {
  const HEADS = 2;
  const TOKENS = 256;
  const texts = Array.from(
    { length: 24 },
    (_, index) => `the quick fox ${index % 3 === 0 ? 'brown '.repeat(300) : index}`,
  );
  let source: string;
  beforeAll(async () => {
    source = join(folder, 'longer');
    await makeBertModel(source, { maxTokens: TOKENS, heads: HEADS });
  });

  it('runs long texts alone and short ones together, with the same vectors', async () => {
    const sure = await startEngine(await load({ name: 'longer', source }), settings);
    const expected = await compute(sure, texts);
    await sure.close();
    const deviceMemory = 4 * HEADS * TOKENS ** 2;
    const model = await load({ name: 'longer', source }, deviceMemory);
    expect(model.card.maxTokens).toBe(TOKENS);
    const engine = await startEngine(model, settings);
    const rowsOfLength: Record<'long' | 'short', number[]> = { long: [], short: [] };
    engine.onBatch(({ paddedTokens, rows }) => rowsOfLength[paddedTokens / rows > 100 ? 'long' : 'short'].push(rows));
    const outcomes = await compute(engine, texts);
    await engine.close();
    expect(rowsOfLength.long).toEqual(Array.from({ length: 8 }, () => 1));
    expect(Math.max(...rowsOfLength.short)).toBeGreaterThan(1);
    for (const [index, outcome] of outcomes.entries()) {
      expect(tokensOf(outcome)).toEqual(tokensOf(expected[index]));
      expect(cosine(vectorOf(outcome), vectorOf(expected[index]))).toBeGreaterThan(0.999_99);
    }
  });

  it('cuts texts at what fits, and says so at start', async () => {
    const model = await load({ name: 'longer', source }, 4 * HEADS * 200 ** 2);
    expect(model.card.maxTokens).toBe(192);
    expect(model.warnings).toEqual([
      expect.stringMatching(/takes 256 tokens; Embedmill serves 192.*EMBED_DEVICE_MEMORY/),
    ]);
    expect(model.card.fingerprint).not.toBe((await load({ name: 'longer', source })).card.fingerprint);
    const engine = await startEngine(model, settings);
    const [long] = await compute(engine, texts);
    await engine.close();
    expect(tokensOf(long)).toEqual([192, true]);
    await expect(load({ name: 'longer', source }, 4 * HEADS * 100 ** 2)).rejects.toThrow(
      /longer: attention of one text of 128 tokens needs 0\.1 MiB, and has 0\.1 MiB \(EMBED_DEVICE_MEMORY\)$/,
    );
  });
});

describe('the engine over a model that cannot compute one token', () => {
  it('fails the text with that token alone', async () => {
    const source = join(folder, 'poisonous');
    await makeBertModel(source, { embeddingRows: BERT_VOCAB_SIZE - 1 });
    const engine = await startEngine(await load({ name: 'poisonous', source }), settings);
    const texts = Array.from({ length: 100 }, (_, index) => `the quick brown fox number ${index}`);
    texts[37] = POISON_TEXT;
    texts[80] = `${POISON_TEXT} and more text`;
    const outcomes = await compute(engine, texts);
    const failed = outcomes.flatMap((outcome, index) => (isRow(outcome) ? [] : [{ index, code: outcome.code }]));
    expect(failed).toEqual([
      { index: 37, code: 'inference_failed' },
      { index: 80, code: 'inference_failed' },
    ]);
    const [alone] = await compute(engine, [texts[36]!]);
    expect(cosine(vectorOf(outcomes[36]), vectorOf(alone))).toBeGreaterThan(0.99999);
    expect(engine.stats()).toMatchObject({ texts: 99, failedTexts: 2, deviceRestarts: 0 });
    await engine.close();
  });
});
