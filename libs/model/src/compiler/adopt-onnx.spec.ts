import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ort from 'onnxruntime-node';
import onnxProto from 'onnx-proto';
import type { Pooling } from '#contracts';
import { addDenseModule } from '../../../../test/support/dense-module.js';
import { makeBertModel } from '../../../../test/support/random-model.js';
import { referenceForward } from '../../../../test/support/reference-forward.js';
import { loadModel } from '../load.js';
import { readManifest } from '../manifest.js';
import { filesInFolder } from '../resolve/folder.js';
import { compileModel } from './compile-model.js';
import { poolingHead } from './heads/pooling.js';

const { onnx } = onnxProto;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-adopt-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface FoundGraph {
  /** The graph stops at its hidden states, under this name. */
  readonly output?: string;
  readonly opset?: number;
  /** Element type of the hidden states, too. */
  readonly dtype?: 'fp32' | 'fp16';
}

/** A model folder with an ONNX file and no safetensors. */
async function onnxModel(
  name: string,
  pooling: Pooling,
  { output, opset, dtype = 'fp32' }: FoundGraph = {},
): Promise<string> {
  const at = join(folder, name);
  await makeBertModel(at, { pooling });
  const files = await filesInFolder(at, 'folder:test', 'fp32');
  const manifest = await readManifest(files);
  const { onnxPath } = await compileModel(files, manifest, manifest.encoder!, {
    dtype,
    modelDir: join(folder, 'made'),
    head: poolingHead(pooling),
  });
  const model = onnx.ModelProto.decode(await readFile(onnxPath));
  const { graph } = model;
  if (output !== undefined) {
    const last = graph!.node!.findLast(({ opType }) => opType === 'SkipLayerNormalization')!;
    graph!.node = graph!.node!.slice(0, graph!.node!.indexOf(last) + 1);
    last.output = [output];
    graph!.output![0]!.name = output;
    const type = graph!.output![0]!.type!.tensorType!;
    if (dtype === 'fp16') type.elemType = onnx.TensorProto.DataType.FLOAT16;
    type.shape = {
      dim: [{ dimParam: 'rows' }, { dimParam: 'tokens' }, { dimValue: 32 }],
    };
  }
  if (opset !== undefined) for (const set of model.opsetImport) if (!set.domain) set.version = opset;
  await writeFile(join(at, 'model.onnx'), onnx.ModelProto.encode(model).finish());
  await copyFile(join(dirname(onnxPath), 'weights.bin'), join(at, 'weights.bin'));
  await rm(join(at, 'model.safetensors'));
  return at;
}

const ROWS = [
  [2, 5, 9, 40, 3],
  [2, 17, 3],
];

async function vectorsOf(at: string): Promise<Float32Array[]> {
  const model = await loadModel(
    { name: 'm', source: at },
    { modelDir: join(folder, 'adopted'), device: 'cpu', hfEndpoint: 'http://127.0.0.1' },
  );
  expect(model.graph.inputs).toEqual(['input_ids', 'attention_mask']);
  const session = await ort.InferenceSession.create(model.onnxPath, { intraOpNumThreads: 1 });
  const ids = BigInt64Array.from(ROWS.flatMap((row) => Array.from({ length: 5 }, (_, t) => BigInt(row[t] ?? 0))));
  const mask = BigInt64Array.from(ROWS.flatMap((row) => Array.from({ length: 5 }, (_, t) => BigInt(t < row.length))));
  const result = await session.run({
    input_ids: new ort.Tensor('int64', ids, [2, 5]),
    attention_mask: new ort.Tensor('int64', mask, [2, 5]),
  });
  await session.release();
  const data = result[model.graph.output]!.data as Float32Array;
  const { width } = model.graph;
  expect(data).toHaveLength(2 * width);
  return [data.slice(0, width), data.slice(width)];
}

it('uses a graph with a pooled output as it is', async () => {
  const at = await onnxModel('pooled', 'mean');
  const model = await loadModel(
    { name: 'm', source: at },
    { modelDir: join(folder, 'adopted'), device: 'cpu', hfEndpoint: 'http://127.0.0.1' },
  );
  expect(model.onnxPath).toBe(join(at, 'model.onnx'));
  expect((await vectorsOf(at))[0]).toHaveLength(32);
});

it.each<[Pooling, number]>([
  ['cls', 20],
  ['mean', 20],
  ['max', 20],
  ['mean', 17],
  ['max', 17],
  ['cls', 12],
  ['mean', 12],
  ['max', 12],
  ['cls+mean', 12],
  ['mean_sqrt_len_tokens', 12],
  ['weightedmean', 12],
  ['lasttoken', 12],
  ['lasttoken', 20],
])('adds %s pooling to a graph of opset %i that stops at the hidden states', async (pooling, opset) => {
  const at = await onnxModel(`hidden-${pooling}-${opset}`, pooling, { output: 'last_hidden_state', opset });
  const vectors = await vectorsOf(at);
  // The reference reads safetensors, which the adopted folder has not.
  const original = join(folder, `original-${pooling}-${opset}`);
  await makeBertModel(original, { pooling });
  for (const [r, row] of ROWS.entries()) {
    const expected = referenceForward(original, row, { pooling });
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
  }
});

it('adds Dense modules after the pooling', async () => {
  const at = await onnxModel('dense', 'mean', { output: 'last_hidden_state', opset: 12 });
  const GELU = 'torch.nn.modules.activation.GELU';
  const original = join(folder, 'dense-original');
  await makeBertModel(original, { pooling: 'mean' });
  const dense = await addDenseModule(at, { inputs: 32, outputs: 8, activation: GELU });
  const vectors = await vectorsOf(at);
  for (const [r, row] of ROWS.entries()) {
    const expected = dense(referenceForward(original, row, { pooling: 'mean' }));
    expect(vectors[r]).toHaveLength(8);
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
  }
});

it('adds pooling in half precision where the hidden states are in it, and gives floats', async () => {
  const at = await onnxModel('half', 'mean', { output: 'last_hidden_state', dtype: 'fp16' });
  const vectors = await vectorsOf(at);
  const original = join(folder, 'half-original');
  await makeBertModel(original, { pooling: 'mean' });
  for (const [r, row] of ROWS.entries()) {
    const expected = referenceForward(original, row, { pooling: 'mean' });
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 2));
  }
});

it('refuses a graph without the mask that its pooling needs', async () => {
  const at = await onnxModel('unmasked', 'mean', { output: 'last_hidden_state' });
  const path = join(at, 'model.onnx');
  const model = onnx.ModelProto.decode(await readFile(path));
  model.graph!.input = model.graph!.input!.filter(({ name }) => name !== 'attention_mask');
  await writeFile(path, onnx.ModelProto.encode(model).finish());
  await expect(vectorsOf(at)).rejects.toThrow(
    /has no input "attention_mask", so .* depend on the padding .*"rowsPerBatch": 1/,
  );
});

it.each([
  ['a pooled graph', {}],
  ['a graph that pooling is added to', { output: 'last_hidden_state' }],
])('other weights beside %s are another model', async (name, found) => {
  const at = await onnxModel(`weights of ${name}`, 'mean', found);
  const load = () =>
    loadModel(
      { name: 'm', source: at },
      { modelDir: join(folder, 'adopted'), device: 'cpu', hfEndpoint: 'http://127.0.0.1' },
    );
  const before = await load();
  expect((await load()).card.fingerprint).toBe(before.card.fingerprint);
  const weights = await readFile(join(at, 'weights.bin'));
  weights.writeFloatLE(weights.readFloatLE(0) + 1, 0);
  await rm(join(at, 'weights.bin'));
  await writeFile(join(at, 'weights.bin'), weights);
  expect((await load()).card.fingerprint).not.toBe(before.card.fingerprint);
});

it('says which inputs or outputs it cannot use', async () => {
  const at = await onnxModel('odd', 'mean', { output: 'last_hidden_state' });
  const path = join(at, 'model.onnx');
  const model = onnx.ModelProto.decode(await readFile(path));
  model.graph!.output![0]!.type!.tensorType!.shape = { dim: [{ dimParam: 'rows' }] };
  await writeFile(path, onnx.ModelProto.encode(model).finish());
  await expect(vectorsOf(at)).rejects.toThrow(/"last_hidden_state", neither a pooled vector nor hidden states/);
});

it('needs to know the pooling only where the graph does not pool itself', async () => {
  const without = async (at: string) => {
    for (const name of ['modules.json', '1_Pooling/config.json']) await rm(join(at, name));
    return at;
  };
  expect(await vectorsOf(await without(await onnxModel('self-pooled', 'mean')))).toHaveLength(2);
  const hidden = await without(await onnxModel('unknown-pooling', 'mean', { output: 'last_hidden_state' }));
  await expect(vectorsOf(hidden)).rejects.toThrow(/unknown-pooling: no file says how it pools .* models\.json/);
});

it('adds an input for the length of the prompt, where it is not to be pooled', async () => {
  const at = await onnxModel('without-prompt', 'mean', { output: 'last_hidden_state' });
  const pooling = { embedding_dimension: 32, pooling_mode: 'mean', include_prompt: false };
  await writeFile(join(at, '1_Pooling/config.json'), JSON.stringify(pooling));
  const options = { modelDir: join(folder, 'adopted'), device: 'cpu', hfEndpoint: 'http://127.0.0.1' };
  const model = await loadModel({ name: 'm', source: at }, options);
  expect(model.graph.inputs).toEqual(['input_ids', 'attention_mask', 'prompt_tokens']);
  await writeFile(join(at, '1_Pooling/config.json'), JSON.stringify({ ...pooling, include_prompt: true }));
  const { card } = await loadModel({ name: 'm', source: at }, options);
  expect(card.fingerprint).not.toBe(model.card.fingerprint);
});
