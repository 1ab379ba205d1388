import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import type { Dtype, Pooling } from '#contracts';
import { encodeSafetensors, type NamedTensor, random } from '../../../../../test/support/random-model.js';
import { poolPlainly } from '../../../../../test/support/reference-forward.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';
import type { Graph } from '../../types.js';
import { compileModel } from '../compile-model.js';
import { poolingHead } from '../heads/pooling.js';

/** `[tokens, size]`. */
export type Rows = number[][];

/** Random weights by their names, and layers over them in plain loops and double precision. */
export class PlainModel {
  readonly tensors = new Map<string, NamedTensor>();
  readonly #next = random(7);

  /** Adds a tensor of numbers within `centre - spread` and `centre + spread`. */
  add(name: string, shape: readonly number[], spread: number, centre = 0): void {
    const length = shape.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length }, () => centre + spread * this.#next());
    this.tensors.set(name, { shape: [...shape], data });
  }

  addLinear(name: string, outputs: number, inputs: number, { bias = true } = {}): void {
    this.add(`${name}.weight`, [outputs, inputs], 1.5 / Math.sqrt(inputs));
    if (bias) this.add(`${name}.bias`, [outputs], 0.1);
  }

  addNorm(name: string, size: number): void {
    this.add(`${name}.weight`, [size], 0.2, 1);
    this.add(`${name}.bias`, [size], 0.1);
  }

  vector(name: string): number[] {
    return [...this.tensors.get(name)!.data];
  }

  matrix(name: string): Rows {
    const { shape, data } = this.tensors.get(name)!;
    const columns = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, r) => [...data.subarray(r * columns, (r + 1) * columns)]);
  }

  linear(rows: Rows, name: string): Rows {
    const weight = this.matrix(`${name}.weight`);
    const bias = this.tensors.has(`${name}.bias`) ? this.vector(`${name}.bias`) : weight.map(() => 0);
    return rows.map((row) => weight.map((w, o) => dot(row, w) + bias[o]!));
  }

  norm(rows: Rows, name: string, epsilon: number): Rows {
    const gamma = this.vector(`${name}.weight`);
    const beta = this.vector(`${name}.bias`);
    return rows.map((row) => {
      const mean = total(row) / row.length;
      const variance = total(row.map((x) => (x - mean) ** 2)) / row.length;
      return row.map((x, d) => ((x - mean) / Math.sqrt(variance + epsilon)) * gamma[d]! + beta[d]!);
    });
  }
}

export function plus(a: Rows, b: Rows): Rows {
  return a.map((row, r) => row.map((x, d) => x + b[r]![d]!));
}

/** Attention of all tokens to all. @param bias what is added to the scaled score of a query and a key */
export function attend(
  [queries, keys, values]: readonly [Rows, Rows, Rows],
  heads: number,
  bias: (head: number, query: number, key: number) => number = () => 0,
): Rows {
  const size = queries[0]!.length / heads;
  const mixed = queries.map((row) => row.map(() => 0));
  for (let head = 0; head < heads; head++) {
    const part = (row: number[]) => row.slice(head * size, (head + 1) * size);
    for (const [q, query] of queries.entries()) {
      const scores = keys.map((key, k) => dot(part(query), part(key)) / Math.sqrt(size) + bias(head, q, k));
      const top = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - top));
      const all = total(powers);
      for (let d = 0; d < size; d++) {
        mixed[q]![head * size + d] = total(powers.map((power, k) => (power / all) * values[k]![head * size + d]!));
      }
    }
  }
  return mixed;
}

/** Writes a model's folder as sentence-transformers lays it out. The tokenizer is left empty: tests give token ids. */
export async function writePlainModel(
  folder: string,
  config: object,
  { tensors }: PlainModel,
  pooling: Pooling = 'mean',
): Promise<void> {
  await mkdir(join(folder, '1_Pooling'), { recursive: true });
  const json = (name: string, content: unknown) => writeFile(join(folder, name), JSON.stringify(content));
  await json('config.json', config);
  await json('tokenizer.json', { model: { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' } });
  await json('1_Pooling/config.json', { pooling_mode: pooling.split('+') });
  await writeFile(join(folder, 'model.safetensors'), encodeSafetensors(tensors));
}

/** Rows of token ids: of common lengths, one with padding ids within the text, one long enough for MPNet's distances. */
const ROWS: readonly (readonly number[])[] = [
  [2, 5, 9, 40, 3],
  [2, 3],
  [2, 1, 5, 9, 1, 1, 0, 40, 0, 3],
  [2, ...Array.from({ length: 30 }, (_, i) => 5 + ((i * 7) % 50)), 3],
  [2, ...Array.from({ length: 158 }, (_, i) => 5 + ((i * 11) % 50)), 3],
];
export const [VOCABULARY, POSITIONS] = [60, 200];

/** Compares the mean vectors of a folder's compiled graph with those of a plain forward pass: the smallest cosine. */
export async function smallestCosine(
  folder: string,
  dtype: Dtype,
  modelDir: string,
  forward: (ids: readonly number[]) => Rows,
): Promise<number> {
  const files = await filesInFolder(folder, 'folder:test', dtype);
  const manifest = await readManifest(files);
  expect(manifest.warnings).toEqual([]);
  const head = poolingHead(manifest.pooling);
  const graph = await compileModel(files, manifest, manifest.encoder!, { dtype, modelDir, head });
  const vectors = await run(graph, ROWS);
  return Math.min(...ROWS.map((row, r) => cosine(vectors[r]!, poolPlainly(forward(row), manifest.pooling))));
}

/** Runs rows of token ids, padded at their end, as one batch: a vector each. */
async function run({ onnxPath, graph }: Graph, rows: readonly (readonly number[])[]): Promise<Float32Array[]> {
  const session = await ort.InferenceSession.create(onnxPath, { intraOpNumThreads: 1 });
  const tokens = Math.max(...rows.map((row) => row.length));
  const cells = rows.flatMap((row) => Array.from({ length: tokens }, (_, t) => row[t]));
  const shape = [rows.length, tokens];
  try {
    const result = await session.run({
      input_ids: new ort.Tensor(
        'int64',
        BigInt64Array.from(cells, (id) => BigInt(id ?? 0)),
        shape,
      ),
      attention_mask: new ort.Tensor(
        'int64',
        BigInt64Array.from(cells, (id) => BigInt(id !== undefined)),
        shape,
      ),
    });
    const data = result[graph.output]!.data as Float32Array;
    return rows.map((_, r) => data.slice(r * graph.width, (r + 1) * graph.width));
  } finally {
    await session.release();
  }
}

function cosine(a: Float32Array, b: readonly number[]): number {
  return dot([...a], b) / Math.sqrt(dot([...a], [...a]) * dot(b, b));
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
