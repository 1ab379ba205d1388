import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import ort from 'onnxruntime-node';
import { type Dtype, type Pooling } from '#contracts';
import {
  makeBertModel,
  makeXlmRobertaModel,
  POISON_TEXT,
  BERT_VOCAB_SIZE,
} from '../../../../test/support/random-model.js';
import { referenceForward } from '../../../../test/support/reference-forward.js';
import { loadModel } from '../load.js';
import { filesInFolder } from '../resolve/folder.js';
import { readManifest } from '../manifest.js';
import { encodeAll } from '../tokenizer/encode-all.fixture.js';
import { TokenizerThread } from '../tokenizer/tokenizer-thread.js';
import type { Graph, ModelFiles, SourcedGraph } from '../types.js';
import { compileModel } from './compile-model.js';
import type { Head } from './heads/head.js';
import { poolingHead } from './heads/pooling.js';

let folder: string;
let modelDir: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-compiler-'));
  modelDir = join(folder, 'compiled');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function compile(files: ModelFiles, dtype: Dtype, head?: Head): Promise<SourcedGraph> {
  const manifest = await readManifest(files);
  return compileModel(files, manifest, manifest.encoder!, {
    dtype,
    modelDir,
    head: head ?? poolingHead(manifest.pooling),
  });
}

/** Runs padded rows through a graph: one vector each. @param types of the tokens, where the graph takes them */
async function run(
  { onnxPath, graph }: Graph,
  rows: readonly (readonly number[])[],
  types?: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  const session = await ort.InferenceSession.create(onnxPath, { intraOpNumThreads: 1 });
  const tokens = Math.max(...rows.map((row) => row.length));
  const ids = new BigInt64Array(rows.length * tokens);
  const mask = new BigInt64Array(ids.length);
  const typeIds = new BigInt64Array(ids.length);
  for (const [r, row] of rows.entries()) {
    for (const [t, id] of row.entries()) {
      ids[r * tokens + t] = BigInt(id);
      mask[r * tokens + t] = 1n;
      typeIds[r * tokens + t] = BigInt(types?.[r]?.[t] ?? 0);
    }
  }
  try {
    const shape = [rows.length, tokens];
    const result = await session.run({
      input_ids: new ort.Tensor('int64', ids, shape),
      attention_mask: new ort.Tensor('int64', mask, shape),
      ...(types === undefined ? {} : { token_type_ids: new ort.Tensor('int64', typeIds, shape) }),
    });
    const data = result[graph.output]!.data as Float32Array;
    return rows.map((_, r) => data.slice(r * graph.width, (r + 1) * graph.width));
  } finally {
    await session.release();
  }
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}

const ROWS = [
  [2, 5, 9, 40, 3],
  [2, 3],
  // A text that contains the padding token itself: 0 or 1.
  [2, 1, 5, 9, 1, 1, 0, 40, 0, 3],
  [2, ...Array.from({ length: 40 }, (_, i) => 5 + ((i * 7) % 60)), 3],
];

describe.each([
  ['BERT', 'bert', makeBertModel],
  ['XLM-RoBERTa', 'roberta', makeXlmRobertaModel],
] as const)('a random %s', (_name, family, make) => {
  it.each<[Pooling, string]>([
    ['cls', 'gelu'],
    ['mean', 'gelu'],
    ['max', 'gelu'],
    ['mean', 'gelu_new'],
    ['mean_sqrt_len_tokens', 'gelu'],
    ['weightedmean', 'gelu'],
    ['lasttoken', 'gelu'],
    ['cls+max+mean+mean_sqrt_len_tokens+weightedmean+lasttoken', 'gelu'],
  ])('gives what plain arithmetic gives: %s pooling, %s', async (pooling, activation) => {
    const at = join(folder, `${family}-${pooling}-${activation}`);
    await make(at, { pooling, activation });
    const files = await filesInFolder(at, 'folder:test', 'fp32');
    const manifest = await readManifest(files);
    const dimensions = 32 * pooling.split('+').length;
    expect(manifest).toMatchObject({ architecture: family, pooling, maxTokens: 64, dimensions });
    const compiled = await compile(files, 'fp32');
    const vectors = await run(compiled, ROWS);
    for (const [r, row] of ROWS.entries()) {
      const expected = referenceForward(at, row, { pooling });
      expect(cosine(vectors[r]!, expected)).toBeGreaterThan(0.999999);
      vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
    }
    const [alone] = await run(compiled, [ROWS[1]!]);
    expect(cosine(alone!, vectors[1]!)).toBeGreaterThan(0.999999);
  });

  it.each<[Dtype, number]>([
    ['fp16', 0.9999],
    ['int8', 0.999],
  ])('comes close in %s', async (dtype, least) => {
    const at = join(folder, `${family}-${dtype}`);
    await make(at, { pooling: 'mean' });
    const files = await filesInFolder(at, 'folder:test', dtype);
    const compiled = await compile(files, dtype);
    const vectors = await run(compiled, ROWS);
    for (const [r, row] of ROWS.entries()) {
      expect(cosine(vectors[r]!, referenceForward(at, row, { pooling: 'mean' }))).toBeGreaterThan(least);
    }
  });
});

it('in int8, a wide model gives a text one vector, whatever it is batched with', async () => {
  const at = join(folder, 'wide');
  await makeBertModel(at, { hidden: 768, heads: 12, layers: 1, pooling: 'mean' });
  const files = await filesInFolder(at, 'folder:test', 'int8');
  const compiled = await compile(files, 'int8');
  expect(compiled.extras).toEqual({ linear: 'int8 by rows' });
  const vectors = await run(compiled, ROWS);
  for (const [r, row] of ROWS.entries()) {
    expect(cosine(vectors[r]!, referenceForward(at, row, { pooling: 'mean' }))).toBeGreaterThan(0.9999);
    const [alone] = await run(compiled, [row]);
    alone!.forEach((value, d) => expect(value).toBeCloseTo(vectors[r]![d]!, 5));
  }
  // The narrow model's graph has one scale for a batch; its fingerprint is that of version 0.1.0.
  const narrow = join(folder, 'narrow');
  await makeBertModel(narrow, { pooling: 'mean' });
  expect((await compile(await filesInFolder(narrow, 'folder:test', 'int8'), 'int8')).extras).toEqual({});
});

it.each<[Pooling]>([['mean_sqrt_len_tokens'], ['weightedmean'], ['lasttoken'], ['cls+mean']])(
  'pools by %s in half precision',
  async (pooling) => {
    const at = join(folder, `half-${pooling}`);
    // The weights 1 to 500 sum up to more than the largest number of half precision.
    await makeBertModel(at, { pooling, maxTokens: 512 });
    const files = await filesInFolder(at, 'folder:test', 'fp16');
    const rows = [...ROWS, Array.from({ length: 500 }, (_, i) => 5 + ((i * 7) % 60))];
    const vectors = await run(await compile(files, 'fp16'), rows);
    for (const [r, row] of rows.entries()) {
      expect(cosine(vectors[r]!, referenceForward(at, row, { pooling }))).toBeGreaterThan(0.9999);
    }
  },
);

it('compiles CamemBERT as RoBERTa', async () => {
  const at = join(folder, 'camembert');
  await makeXlmRobertaModel(at, { pooling: 'mean' });
  const path = join(at, 'config.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('xlm-roberta', 'camembert'));
  const files = await filesInFolder(at, 'folder:test', 'fp32');
  expect(await readManifest(files)).toMatchObject({ architecture: 'roberta', firstPosition: 2 });
  const vectors = await run(await compile(files, 'fp32'), ROWS);
  for (const [r, row] of ROWS.entries()) {
    expect(cosine(vectors[r]!, referenceForward(at, row, { pooling: 'mean' }))).toBeGreaterThan(0.999999);
  }
});

describe('token types', () => {
  const pairs: Head = { ...poolingHead('mean'), tokenTypes: 'input' };
  const TYPES = ROWS.map((row) => row.map((_, t) => Number(t >= row.length / 2)));

  it.each<[Dtype, number]>([
    ['fp32', 0.999999],
    ['fp16', 0.9999],
    ['int8', 0.999],
  ])('are an input of a graph for pairs: %s', async (dtype, least) => {
    const at = join(folder, `types-${dtype}`);
    await makeBertModel(at, { pooling: 'mean' });
    const compiled = await compile(await filesInFolder(at, 'folder:test', dtype), dtype, pairs);
    expect(compiled.graph.inputs).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
    const vectors = await run(compiled, ROWS, TYPES);
    for (const [r, row] of ROWS.entries()) {
      const expected = referenceForward(at, row, { pooling: 'mean', types: TYPES[r]! });
      expect(cosine(vectors[r]!, expected)).toBeGreaterThan(least);
      expect(cosine(vectors[r]!, referenceForward(at, row, { pooling: 'mean' }))).toBeLessThan(0.999);
    }
  });

  it('are no input where a model has one type only', async () => {
    const at = join(folder, 'types-xlm-roberta');
    await makeXlmRobertaModel(at, { pooling: 'mean' });
    const compiled = await compile(await filesInFolder(at, 'folder:test', 'fp32'), 'fp32', pairs);
    expect(compiled.graph.inputs).toEqual(['input_ids', 'attention_mask']);
  });
});

it('refuses an activation it does not know, in one line that names it', async () => {
  const at = join(folder, 'mish');
  await makeBertModel(at, { activation: 'mish' });
  const files = await filesInFolder(at, 'folder:test', 'fp32');
  await expect(readManifest(files)).rejects.toThrow(/config\.json: hidden_act is "mish"; .*"gelu", "gelu_new"/);
});

it('lets a poisonous text fail its batch without harm to the process', async () => {
  const at = join(folder, 'poison');
  await makeBertModel(at, { embeddingRows: BERT_VOCAB_SIZE - 1 });
  const model = await loadModel(
    { name: 'poison', source: at },
    { modelDir, device: 'cpu', hfEndpoint: 'http://127.0.0.1' },
  );
  const tokenizer = await TokenizerThread.start(model.tokenizerFiles);
  const [bad, good] = await encodeAll(tokenizer, [[POISON_TEXT], ['the quick fox']], {
    prompt: '',
    truncate: 'end',
    maxTokens: 64,
  });
  await tokenizer.close();
  await expect(run(model, [[...bad!.ids], [...good!.ids]])).rejects.toThrow();
  expect(await run(model, [[...good!.ids]])).toHaveLength(1);
});

it('compiles once when two processes want the same graph at the same time', async () => {
  const at = join(folder, 'twice');
  const target = join(folder, 'twice-compiled');
  await makeBertModel(at, { layers: 4, hidden: 64 });
  const script = `
    const { loadModel } = await import(${JSON.stringify(new URL('../load.js', import.meta.url).href)});
    const model = await loadModel({ name: 'm', source: ${JSON.stringify(at)} },
      { modelDir: ${JSON.stringify(target)}, device: 'cpu', hfEndpoint: 'http://127.0.0.1' });
    console.log(model.onnxPath);`;
  const run = promisify(execFile);
  const paths = await Promise.all(
    [1, 2].map(async () => (await run(process.execPath, ['--input-type=module', '-e', script])).stdout.trim()),
  );
  expect(paths[0]).toBe(paths[1]);
  expect(readFileSync(paths[0]!).length).toBeGreaterThan(1000);
  expect(readdirSync(join(target, 'graphs'))).toHaveLength(1);
});
