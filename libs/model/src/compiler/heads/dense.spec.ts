import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import type { Dtype, Pooling } from '#contracts';
import { addDenseModule, type DenseOptions } from '../../../../../test/support/dense-module.js';
import { makeBertModel } from '../../../../../test/support/random-model.js';
import { referenceForward } from '../../../../../test/support/reference-forward.js';
import { loadModel } from '../../load.js';
import type { RunnableModel } from '../../types.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-dense-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const load = (at: string, dtype: Dtype = 'fp32'): Promise<RunnableModel> =>
  loadModel(
    { name: 'm', source: at },
    { modelDir: join(folder, 'models'), device: 'cpu', dtype, hfEndpoint: 'http://127.0.0.1' },
  );

const ROW = [2, 5, 9, 40, 3];

async function vectorOf({ onnxPath, graph }: RunnableModel): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(onnxPath, { intraOpNumThreads: 1 });
  const result = await session.run({
    input_ids: new ort.Tensor('int64', BigInt64Array.from(ROW, BigInt), [1, ROW.length]),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(ROW.length).fill(1n), [1, ROW.length]),
  });
  await session.release();
  return result[graph.output]!.data as Float32Array;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const norm = (vector: readonly number[]) => Math.sqrt(dot(vector, vector));
const cosine = (a: readonly number[], b: readonly number[]) => dot(a, b) / norm(a) / norm(b);

const IDENTITY = 'torch.nn.modules.linear.Identity';
const [TANH, GELU, RELU] = ['Tanh', 'GELU', 'ReLU'].map((name) => `torch.nn.modules.activation.${name}`);

const wide: DenseOptions = { inputs: 32, outputs: 48, activation: IDENTITY, bias: false };
const CASES: readonly [string, Pooling, readonly DenseOptions[]][] = [
  ['tanh, as in LaBSE', 'cls', [{ inputs: 32, outputs: 32, activation: TANH! }]],
  ['no activation named', 'mean', [{ inputs: 32, outputs: 16 }]],
  ['GELU', 'mean', [{ inputs: 32, outputs: 16, activation: GELU! }]],
  ['ReLU', 'mean', [{ inputs: 32, outputs: 16, activation: RELU! }]],
  ['two, wider and back', 'mean', [wide, { ...wide, inputs: 48, outputs: 32, seed: 4 }]],
  ['after two poolings', 'cls+mean', [{ inputs: 64, outputs: 16, activation: TANH! }]],
  ['a residual of the same size', 'mean', [{ inputs: 32, outputs: 32, activation: GELU!, residual: true }]],
  ['a residual of another size', 'mean', [{ inputs: 32, outputs: 8, activation: TANH!, residual: true }]],
];

describe.each(CASES)('Dense modules: %s', (name, pooling, modules) => {
  it.each<[Dtype, number]>([
    ['fp32', 0.9999999],
    ['fp16', 0.9999],
    ['int8', 0.999],
  ])('give what plain arithmetic gives: %s', async (dtype, least) => {
    const at = join(folder, `${name}-${dtype}`);
    await makeBertModel(at, { pooling });
    let expected = referenceForward(at, ROW, { pooling });
    for (const module of modules) expected = (await addDenseModule(at, module))(expected);
    const model = await load(at, dtype);
    expect(model.card.operations.embed).toMatchObject({ dimensions: expected.length, pooling });
    const vector = await vectorOf(model);
    expect(vector).toHaveLength(expected.length);
    expect(cosine([...vector], expected)).toBeGreaterThan(least);
    expect(norm([...vector]) / norm(expected)).toBeCloseTo(1, 1);
  });
});

it('makes another model of other weights or another activation', async () => {
  const fingerprints = new Set<string>();
  for (const [n, module] of [{}, { seed: 5 }, { activation: IDENTITY }].entries()) {
    const at = join(folder, `other-${n}`);
    await makeBertModel(at, { pooling: 'mean' });
    if (n === 0) fingerprints.add((await load(at)).card.fingerprint);
    await addDenseModule(at, { inputs: 32, outputs: 32, ...module });
    fingerprints.add((await load(at)).card.fingerprint);
  }
  expect(fingerprints.size).toBe(4);
});

it.each<[string, DenseOptions, RegExp]>([
  [
    'another activation',
    { inputs: 32, outputs: 8, activation: 'torch.nn.modules.activation.Mish' },
    /2_Dense\/config\.json: activation_function is "torch.nn.modules.activation.Mish"; Embedmill runs/,
  ],
  ['a size that does not fit', { inputs: 16, outputs: 8 }, /2_Dense takes vectors of 16 floats, but gets 32/],
])('refuses %s', async (name, module, message) => {
  const at = join(folder, name);
  await makeBertModel(at);
  await addDenseModule(at, module);
  await expect(load(at)).rejects.toThrow(message);
});

it('refuses modules whose files are not there, or that it would run in another order', async () => {
  const at = join(folder, 'places');
  await makeBertModel(at, { normalize: true });
  await addDenseModule(at, { inputs: 32, outputs: 8 });
  await expect(load(at)).rejects.toThrow(
    /modules\.json: its modules are Transformer, Pooling, Normalize, Dense; Embedmill runs/,
  );

  const missing = join(folder, 'missing');
  await makeBertModel(missing);
  await addDenseModule(missing, { inputs: 32, outputs: 8 });
  await rm(join(missing, '2_Dense/model.safetensors'));
  await expect(load(missing)).rejects.toThrow(
    /2_Dense\/config\.json: there is no model\.safetensors or pytorch_model\.bin beside it/,
  );
  await rm(join(missing, '2_Dense/config.json'));
  await expect(load(missing)).rejects.toThrow(/modules\.json: path is "2_Dense", but there is no 2_Dense\/config/);
});
