import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embedCard, isRow, type Outcome, rowFloats, rowTokens } from '#contracts';
import { startEngine } from '#inference';
import { loadModel, type RunnableModel } from '#model';
import { encode } from './encode.js';
import {
  digestOf,
  type Golden,
  type GoldenRun,
  GOLDENS,
  hashesIn,
  idHash,
  readGolden,
  TEXTS,
  vectorsOf,
  writeCheckpoint,
} from './golden.js';
import { ANOTHER_VECTOR, OTHER_IDS, REFUSED } from './not-yet.js';

/** Against sentence-transformers in float32; README.md says how the goldens are made. */
const LEAST_COSINE = 0.99999;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-goldens-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(golden: Golden): Promise<RunnableModel> {
  const source = join(folder, golden.name);
  await writeCheckpoint(golden, source);
  return loadModel(
    { name: golden.name, source },
    { modelDir: join(folder, 'graphs'), hfEndpoint: 'http://127.0.0.1:1', device: 'cpu', dtype: 'fp32' },
  );
}

/** Kind of tokenizer -> indexes of texts with other ids than transformers' in any run, ascending. */
const differing = new Map<string, Set<number>>();

describe('a golden', () => {
  it.each(GOLDENS)('has the weights that the rule gives: %s', (name) => {
    for (const { digest, file, tensors } of readGolden(name).weights) {
      expect([file, digestOf(tensors)]).toEqual([file, digest]);
    }
  });

  it('that is not served exists, and is in one list', () => {
    const listed = [...Object.keys(REFUSED), ...Object.keys(ANOTHER_VECTOR)];
    expect(GOLDENS).toEqual(expect.arrayContaining(listed));
    expect(new Set(listed).size).toBe(listed.length);
  });
});

describe.each(GOLDENS.filter((name) => readGolden(name).kind === 'embed'))('%s', (name) => {
  if (name in REFUSED) {
    it('is not served yet: it is refused', async () => {
      await expect(load(readGolden(name))).rejects.toThrow(REFUSED[name]);
    });
  } else if (name in ANOTHER_VECTOR) {
    it.failing(`is not right yet: ${ANOTHER_VECTOR[name]}`, () => check(readGolden(name)));
  } else {
    it('has the token ids and vectors of sentence-transformers, alone and in batches', () => check(readGolden(name)));
  }
});

it('lists no text whose ids are the same by now', () => {
  for (const [kind, texts] of Object.entries(OTHER_IDS))
    expect([kind, [...differing.get(kind)!]]).toEqual([kind, texts]);
});

async function check(golden: Golden): Promise<void> {
  const model = await load(golden);
  const [{ width }] = golden.runs as [GoldenRun];
  expect(model.card).toMatchObject({
    ...(golden.maxTokens === null ? {} : { maxTokens: golden.maxTokens }),
    dtype: 'fp32',
    operations: { embed: { normalize: golden.normalize } },
  });
  const { defaultDimensions, dimensions } = embedCard(model.card);
  expect(defaultDimensions ?? dimensions).toBe(width);
  for (const run of golden.runs!) await checkRun(golden, model, run);
}

async function checkRun(golden: Golden, model: RunnableModel, run: GoldenRun): Promise<void> {
  const prompt = model.card.prompts[run.prompt ?? model.card.defaultPrompt ?? ''] ?? '';
  const options = { prompt, truncate: run.side } as const;
  const inputs = run.texts.map((index) => [TEXTS[index]!] as const);

  const encoded = await encode(model.tokenizerFiles, inputs, { ...options, maxTokens: model.card.maxTokens });
  const known = OTHER_IDS[golden.tokenizer] ?? [];
  const hashes = hashesIn(run.hashes);
  const others = run.texts.filter((_, place) => idHash(encoded[place]!.ids) !== hashes[place]);
  const found = differing.get(golden.tokenizer) ?? new Set();
  differing.set(golden.tokenizer, new Set([...found, ...others].sort((a, b) => a - b)));
  expect([run.prompt, others.filter((index) => !known.includes(index))]).toEqual([run.prompt, []]);

  const tokenBudget = Math.max(2048, model.card.maxTokens);
  const engine = await startEngine(model, { device: 'cpu', threads: 1, tokenBudget, bulkShare: 0.2 });
  try {
    const together = await engine.run(inputs, { ...options, lane: 'bulk' });
    const alone: Outcome[] = [];
    for (const input of inputs) alone.push(...(await engine.run([input], { ...options, lane: 'interactive' })));
    const vectors = vectorsOf(run);
    const wrong: string[] = [];
    for (const [place, index] of run.texts.entries()) {
      // It has another vector, too.
      if (others.includes(index)) continue;
      for (const [how, outcomes] of Object.entries({ together, alone })) {
        const outcome = outcomes[place]!;
        if (!isRow(outcome)) throw new Error(`${how}, text ${index}: ${JSON.stringify(outcome)}`);
        const expected = vectors[place]!;
        // An engine's rows are whole: the API cuts them where the model's files ask for fewer dimensions.
        const found = rowFloats(outcome).subarray(0, expected.length);
        const like = cosine(found, expected);
        // An engine's rows are not normalised; those of the golden are, where the model normalises.
        const longer = golden.normalize ? 1 : Math.hypot(...found) / Math.hypot(...expected);
        const tokens = rowTokens(outcome);
        if (like >= LEAST_COSINE && Math.abs(longer - 1) < 1e-3 && tokens === run.lengths[place]) continue;
        wrong.push(`${how}, prompt ${run.prompt}, text ${index}: cosine ${like}, length x ${longer}, ${tokens} tokens`);
      }
    }
    expect(wrong).toEqual([]);
  } finally {
    await engine.close();
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, place) => sum + value * y[place]!, 0);
  return a.length === b.length ? dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) : NaN;
}
