import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRow, rowFloats, rowTokens } from '#contracts';
import { startEngine } from '#inference';
import { loadModel } from '../../load.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';
import { readTokenizer } from '../../tokenizer/tokenizer-settings.js';
import type { RunnableModel } from '../../types.js';

let folder: string;
let models = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-static-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const TOKENS = ['[UNK]', '[CLS]', 'red', 'blue', 'green'];
const TOKENIZER = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] } },
  },
  decoder: null,
  model: { type: 'WordLevel', vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])), unk_token: '[UNK]' },
};
const STATIC = [{ type: 'sentence_transformers.models.StaticEmbedding', path: '0_StaticEmbedding' }];

type Table = Readonly<Record<string, { dtype: string; shape: readonly number[]; data: ArrayBufferView }>>;

/** Row `r` of the table: `[r, 10 r]`. */
const ROWS = Float32Array.from({ length: 10 }, (_, i) => Math.floor(i / 2) * (i % 2 === 0 ? 1 : 10));
const PLAIN: Table = { 'embedding.weight': { dtype: 'F32', shape: [5, 2], data: ROWS } };

async function write(at: string, table: Table, files: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(folder, String(models++));
  await mkdir(join(path, at), { recursive: true });
  for (const [name, json] of Object.entries(files)) await writeFile(join(path, name), JSON.stringify(json));
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let end = 0;
  for (const [name, { data, ...entry }] of Object.entries(table)) {
    header[name] = { ...entry, data_offsets: [end, (end += data.byteLength)] };
    parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(join(path, at, 'model.safetensors'), Buffer.concat([length, json, ...parts]));
  return path;
}

function load(source: string, dtype: 'fp32' | 'fp16' | 'int8' = 'fp32'): Promise<RunnableModel> {
  const options = { modelDir: join(folder, 'models'), hfEndpoint: 'http://127.0.0.1:1', device: 'cpu', dtype } as const;
  return loadModel({ name: 'm', source }, options);
}

async function vectors(
  model: RunnableModel,
  texts: readonly string[],
): Promise<{ tokens: number; floats: number[] }[]> {
  const engine = await startEngine(model, { device: 'cpu', threads: 1, tokenBudget: 40_000, bulkShare: 0.2 });
  try {
    const inputs = texts.map((text) => [text] as const);
    const outcomes = await engine.run(inputs, { prompt: '', truncate: 'end', lane: 'bulk' });
    return outcomes.map((one) => {
      if (!isRow(one)) throw new Error(one.message);
      return { tokens: rowTokens(one), floats: [...rowFloats(one)] };
    });
  } finally {
    await engine.close();
  }
}

it('pools the vectors of the tokens of a text, without special tokens; a text without any has zeros', async () => {
  const at = await write('0_StaticEmbedding', PLAIN, {
    'modules.json': STATIC,
    '0_StaticEmbedding/tokenizer.json': TOKENIZER,
    // Not of this module: sentence-transformers does not read them.
    'tokenizer_config.json': { model_max_length: 1 },
    '0_StaticEmbedding/sentence_bert_config.json': { max_seq_length: 1 },
  });
  const model = await load(at);
  expect(model.card).toMatchObject({
    maxTokens: 32_768,
    operations: { embed: { dimensions: 2, pooling: 'mean', normalize: false } },
  });
  expect(await vectors(model, ['red blue', ' \t', 'green', 'violet red'])).toEqual([
    { tokens: 2, floats: [2.5, 25] },
    { tokens: 0, floats: [0, 0] },
    { tokens: 1, floats: [4, 40] },
    { tokens: 2, floats: [1, 10] },
  ]);
});

it('folds rows that tokens share, and factors of tokens, in types of all sizes', async () => {
  const table: Table = {
    weights: { dtype: 'F64', shape: [5], data: Float64Array.of(1, 1, 0.5, 2, -1) },
    mapping: { dtype: 'I64', shape: [5], data: BigInt64Array.of(0n, 0n, 2n, 1n, 2n) },
    embeddings: { dtype: 'I8', shape: [3, 2], data: Int8Array.of(0, 0, 7, -7, 100, 3) },
  };
  const config = { model_type: 'model2vec', architectures: ['StaticModel'], normalize: true, hidden_dim: 2 };
  const at = await write('', table, { 'config.json': config, 'tokenizer.json': TOKENIZER });
  const model = await load(at);
  expect(model.warnings).toEqual([]);
  expect(model.card.operations.embed).toMatchObject({ normalize: true });
  const floats = (await vectors(model, ['red', 'blue', 'green'])).map((one) => one.floats);
  expect(floats).toEqual([
    [50, 1.5],
    [14, -14],
    [-100, -3],
  ]);
});

it('runs Dense modules after the mean, and keeps the truncation of tokenizer.json', async () => {
  const at = await write('', PLAIN, {
    'modules.json': [
      { type: STATIC[0]!.type, path: '' },
      { type: 'sentence_transformers.models.Normalize', path: '1' },
    ],
    'tokenizer.json': { ...TOKENIZER, truncation: { max_length: 2, direction: 'Right', stride: 0 } },
  });
  const manifest = await readManifest(await filesInFolder(at, 'folder:test', 'fp32'));
  expect(manifest).toMatchObject({ maxTokens: 2, normalize: true, padTokenId: 5 });
  expect(await readTokenizer(await filesInFolder(at, 'folder:test', 'fp32'), manifest)).toMatchObject({
    files: { tokenizer: { post_processor: null } },
  });
});

it('is fp32 only', async () => {
  const at = await write('', PLAIN, { 'modules.json': [{ ...STATIC[0], path: '' }], 'tokenizer.json': TOKENIZER });
  await expect(load(at, 'fp16')).rejects.toThrow(/EMBED_DTYPE=fp16 is not served for this model: a table of vectors/);
  await expect(load(at, 'int8')).rejects.toThrow(/use fp32/);
});

it.each<[string, Table, RegExp]>([
  ['no table', { words: PLAIN['embedding.weight']! }, /neither "embedding.weight" nor "embeddings"/],
  ['a vector', { embeddings: { dtype: 'F32', shape: [10], data: ROWS } }, /"embeddings" is \[10\], not a row/],
  [
    'a factor too few',
    { embeddings: PLAIN['embedding.weight']!, weights: { dtype: 'F32', shape: [4], data: new Float32Array(4) } },
    /"weights" is \[4\], not \[5\]/,
  ],
  [
    'a row that is not there',
    { embeddings: PLAIN['embedding.weight']!, mapping: { dtype: 'I32', shape: [1], data: Int32Array.of(5) } },
    /"mapping" has row 5 of 5/,
  ],
])('refuses a file with %s', async (_, table, message) => {
  const at = await write('', table, { 'config.json': { model_type: 'model2vec' }, 'tokenizer.json': TOKENIZER });
  await expect(load(at)).rejects.toThrow(message);
});
