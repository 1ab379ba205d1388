import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import type { Dtype } from '#contracts';
import { type Encoded, loadHeads, loadModel } from '#model';
import { encode } from './encode.js';
import {
  type Golden,
  GOLDENS,
  hashesIn,
  idHash,
  readGolden,
  readTokenizer,
  type SparseGolden,
  TEXTS,
  vectorsOf,
  writeCheckpoint,
} from './golden.js';

/** Of a score, against transformers in float32. */
const RELATIVE = 1e-4;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-heads-'));
  for (const golden of named('pairs', 'answer', 'sparse', 'm3').map(readGolden)) {
    await writeCheckpoint(golden, join(folder, golden.name));
  }
});
afterAll(() => rm(folder, { recursive: true }));

function named(...kinds: readonly Golden['kind'][]): string[] {
  return GOLDENS.filter((name) => kinds.includes(readGolden(name).kind));
}

function settingsOf(name: string, dtype: Dtype = 'fp32') {
  const options = { modelDir: join(folder, 'graphs'), hfEndpoint: 'http://127.0.0.1:1', device: 'cpu', dtype };
  return [{ name, source: join(folder, name) }, options] as const;
}

it.each(named('pairs', 'answer', 'sparse'))('no operation takes the results of %s for vectors', async (name) => {
  await expect(loadModel(...settingsOf(name))).rejects.toThrow(/^[^\n]+, whose results are not vectors[^\n]*$/);
});

it.each(named('pairs', 'answer'))('%s gives pairs the ids, types and scores of transformers', async (name) => {
  const golden = readGolden(name);
  const { hashes, lengths, logits, pairs, typeHashes } = golden.scored!;
  const encoded = await idsOf(
    golden,
    pairs.map(([first, second]) => [TEXTS[first]!, TEXTS[second]!] as const),
  );
  expect(encoded.map(({ ids }) => ids.length)).toEqual(lengths);
  expect(encoded.map(({ ids }) => idHash(ids))).toEqual(hashesIn(hashes));
  const { inputs, outputs, run } = await open(name);
  if (inputs.includes('token_type_ids')) {
    expect(encoded.map(({ ids, types }) => idHash(types ?? ids.map(() => 0)))).toEqual(hashesIn(typeHashes));
  }
  expect(outputs).toEqual({ scores: { each: 'input', width: logits[0]!.length } });
  for (const { scores } of await aloneAndTogether(encoded, run)) {
    expect(farthest(scores!, logits)).toBeLessThan(RELATIVE);
  }
});

it.each(named('sparse'))('%s gives the weights of sentence-transformers', async (name) => {
  const golden = readGolden(name) as SparseGolden;
  const encoded = await idsOf(
    golden,
    golden.texts.map((index) => [TEXTS[index]!] as const),
  );
  expect(encoded.map(({ ids }) => idHash(ids))).toEqual(hashesIn(golden.hashes));
  const { outputs, run } = await open(name);
  expect(outputs).toEqual({ weights: { each: 'input', width: golden.width } });
  for (const { weights } of await aloneAndTogether(encoded, run)) {
    expect(farthest(weights!, vectorsOf(golden))).toBeLessThan(RELATIVE);
  }
});

it.each(named('m3'))('%s gives dense, sparse and token vectors in one pass', async (name) => {
  const golden = readGolden(name);
  const { dense, hashes, lengths, sparse, texts, tokens } = golden.onePass!;
  const encoded = await idsOf(
    golden,
    texts.map((index) => [TEXTS[index]!] as const),
  );
  expect(encoded.map(({ ids }) => idHash(ids))).toEqual(hashesIn(hashes));
  const { outputs, run } = await open(name);
  expect(outputs).toEqual({
    dense: { each: 'input', width: dense.width },
    sparse: { each: 'token', width: 1 },
    tokens: { each: 'token after the first', width: tokens.width },
  });
  const [weights] = vectorsOf(sparse);
  const vectors = vectorsOf(tokens);
  const starts = lengths.map((_, n) => lengths.slice(0, n).reduce((sum, length) => sum + length, 0));
  const weightsOf = lengths.map((length, n) => weights!.subarray(starts[n], starts[n]! + length));
  const vectorsOfTokens = lengths.map((length, n) =>
    vectors.slice(starts[n]! - n, starts[n]! - n + length - 1).flatMap((vector) => [...vector]),
  );
  for (const found of await aloneAndTogether(encoded, run)) {
    expect(farthest(found['dense']!, vectorsOf(dense))).toBeLessThan(RELATIVE);
    // Padding has weights and vectors of 0. All weights are one row of the golden.
    expect(farthest([flat(found['sparse']!)], [flat(padded(weightsOf, found['sparse']!))])).toBeLessThan(RELATIVE);
    expect(farthest(found['tokens']!, vectorsOfTokens)).toBeLessThan(RELATIVE);
  }
});

it.each<[string, Dtype, number]>([
  ['bert-pairs', 'fp16', 0.9999],
  ['bert-pairs', 'int8', 0.99],
  ['modernbert-pairs', 'fp16', 0.9999],
  ['bert-splade', 'fp16', 0.9999],
  ['bert-splade', 'int8', 0.99],
  ['xlm-roberta-m3', 'fp16', 0.9999],
  ['qwen3-answer', 'int8', 0.99],
])('%s in %s is near to fp32', async (name, dtype, least) => {
  const golden = readGolden(name);
  const encoded = await idsOf(
    golden,
    TEXTS.slice(0, 24).map((text) => [text] as const),
  );
  const [plain, other] = [await open(name), await open(name, dtype)];
  const [expected, found] = [await plain.run(encoded), await other.run(encoded)];
  for (const output of Object.keys(plain.outputs)) {
    expect([output, cosine(found[output]!, expected[output]!) > least]).toEqual([output, true]);
  }
});

async function idsOf(golden: Golden, inputs: Parameters<typeof encode>[1]): Promise<Encoded[]> {
  const files = { tokenizer: readTokenizer(golden), config: golden.files['tokenizer_config.json'] };
  return encode(files, inputs, { prompt: '', truncate: 'end', maxTokens: golden.maxTokens! });
}

/** By output: a row for each input, or all rows of its tokens, one after the other. */
type Rows = Readonly<Record<string, readonly Float32Array[]>>;
type Run = (inputs: readonly Encoded[]) => Promise<Rows>;

async function open(name: string, dtype: Dtype = 'fp32') {
  const { inputs, onnxPath, outputs, padTokenId } = await loadHeads(...settingsOf(name, dtype));
  const run: Run = async (encoded) => {
    const session = await ort.InferenceSession.create(onnxPath, { intraOpNumThreads: 1 });
    try {
      const tokens = Math.max(...encoded.map(({ ids }) => ids.length));
      const filled = (cell: (input: Encoded, at: number) => number | undefined, padding: number) =>
        new ort.Tensor(
          'int64',
          BigInt64Array.from(
            encoded.flatMap((input) => Array.from({ length: tokens }, (_, at) => BigInt(cell(input, at) ?? padding))),
          ),
          [encoded.length, tokens],
        );
      const feeds: Record<string, ort.Tensor> = {
        input_ids: filled(({ ids }, at) => ids[at], padTokenId),
        attention_mask: filled(({ ids }, at) => (at < ids.length ? 1 : 0), 0),
        token_type_ids: filled(({ types }, at) => types?.[at], 0),
      };
      const wanted = Object.fromEntries(inputs.map((input) => [input, feeds[input]!]));
      const results = await session.run(wanted);
      return Object.fromEntries(
        Object.keys(outputs).map((output) => {
          const data = results[output]!.data as Float32Array;
          const size = data.length / encoded.length;
          return [output, encoded.map((_, row) => data.subarray(row * size, (row + 1) * size))];
        }),
      );
    } finally {
      await session.release();
    }
  };
  return { inputs, outputs, run };
}

/** What inputs give as one batch, and each in a batch of its own. */
async function aloneAndTogether(encoded: readonly Encoded[], run: Run): Promise<readonly Rows[]> {
  const together = await run(encoded);
  const alone: Record<string, Float32Array[]> = {};
  for (const input of encoded) {
    for (const [output, rows] of Object.entries(await run([input]))) (alone[output] ??= []).push(...rows);
  }
  return [together, alone];
}

/**
 * The largest difference between a number and that of a golden, as a share of the latter, or of a fifth of the largest
 * in its row, since goldens have the same digits for all numbers of a row, but of 0.1 at least: near 0, what
 * rounding left of the larger numbers that were added remains. Beyond an expected row must be zeros.
 */
function farthest(found: readonly Float32Array[], expected: readonly ArrayLike<number>[]): number {
  expect(found).toHaveLength(expected.length);
  let largest = 0;
  for (const [n, row] of expected.entries()) {
    const least = Math.max(0.1, Math.max(...Array.from(row, Math.abs)) / 5);
    for (const [at, number] of found[n]!.entries()) {
      const wanted = row[at] ?? 0;
      largest = Math.max(largest, Math.abs(number - wanted) / Math.max(Math.abs(wanted), least));
    }
  }
  return largest;
}

/** Expected rows, with zeros up to the length of those that were found. */
function padded(expected: readonly ArrayLike<number>[], found: readonly Float32Array[]): number[][] {
  return found.map((row, n) => Array.from(row, (_, at) => expected[n]![at] ?? 0));
}

function flat(rows: readonly ArrayLike<number>[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => Array.from(row)));
}

/** Of all numbers of an output as one vector. */
function cosine(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const [all, others] = [flat(a), flat(b)];
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot(all, others) / Math.sqrt(dot(all, all) * dot(others, others));
}
