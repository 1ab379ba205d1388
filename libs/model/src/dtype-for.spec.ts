import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#contracts';
import { HubServer } from '../../../test/support/hub-server.js';
import { makeOnnxFolder } from '../../../test/support/onnx-folder.js';
import { TinyCheckpoint } from '../../../test/support/tiny-checkpoint.js';
import { dtypeFor } from './dtype-for.js';
import { loadModel } from './load.js';
import { resolveModel } from './resolve/resolve-model.js';

let folder: string;
/** Has `onnx/model.onnx`, with its weights in a file of another name, and no safetensors. */
let single: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-dtype-'));
  const { at } = await makeOnnxFolder(folder, 'single', {}, (graph) => {
    graph.node('Identity', [graph.hidden], 'last_hidden_state');
    graph.output('last_hidden_state', ['rows', 'tokens', 32]);
  });
  await mkdir(join(at, 'onnx'));
  for (const name of ['model.onnx', 'weights.bin']) await rename(join(at, name), join(at, 'onnx', name));
  await writeFile(join(at, 'onnx', 'model_quantized.onnx'), 'not wanted');
  await writeFile(join(at, 'onnx', 'other.bin'), 'not wanted');
  single = at;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const load = (source: string, device: string, dtype?: Dtype) =>
  loadModel(
    { name: 'm', source },
    { modelDir: join(folder, 'models'), hfEndpoint: 'http://127.0.0.1:1', device, dtype },
  );

it('is fp32 on a CPU and fp16 on other devices, and int8 only on a CPU', () => {
  expect(dtypeFor('cpu', undefined)).toMatchObject({ dtype: 'fp32' });
  expect(dtypeFor('cuda:1', undefined)).toMatchObject({ dtype: 'fp16' });
  expect(dtypeFor('webgpu', 'fp32')).toEqual({ dtype: 'fp32' });
  expect(() => dtypeFor('cuda:0', 'int8')).toThrow('int8 runs on cpu only');
});

it('is by default what the model has, with a warning, and otherwise what is asked for', async () => {
  const model = await load(single, 'cuda:0');
  expect(model.card.dtype).toBe('fp32');
  expect(model.warnings).toEqual([
    `folder:${single}: no weights (*.safetensors, pytorch_model.bin, or an ONNX file for fp16); EMBED_DTYPE is not set, so fp32 is used instead of fp16`,
  ]);
  const onCpu = await load(single, 'cpu');
  expect(onCpu.warnings).toEqual([]);
  expect(onCpu.card.fingerprint).toBe(model.card.fingerprint);
  await expect(load(single, 'cuda:0', 'fp16')).rejects.toThrow('an ONNX file for fp16');
});

it('is fp16 on a CPU where a model has nothing else', async () => {
  const { at } = await makeOnnxFolder(folder, 'half', { pooling: 'cls' }, (graph) => {
    graph.cast(graph.first('first'), 'sentence_embedding', 'FLOAT16');
    graph.output('sentence_embedding', ['rows', 32], 'FLOAT16');
  });
  await rename(join(at, 'model.onnx'), join(at, 'model_fp16.onnx'));
  const model = await load(at, 'cpu');
  expect(model.card.dtype).toBe('fp16');
  expect(model.warnings).toEqual([expect.stringContaining('so fp16 is used instead of fp32')]);
});

it('is by default fp32 for a family that is not served in fp16', async () => {
  const at = join(folder, 'qwen3');
  await new TinyCheckpoint().write(at, {
    model_type: 'qwen3',
    hidden_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 8,
    intermediate_size: 64,
    hidden_act: 'silu',
    max_position_embeddings: 64,
    rms_norm_eps: 1e-6,
    vocab_size: 100,
  });
  const options = { modelDir: join(folder, 'models'), hfEndpoint: 'http://127.0.0.1:1' };
  const files = await resolveModel({ name: 'm', source: at }, { ...options, ...dtypeFor('cuda:0', undefined) });
  expect(files.dtype).toBe('fp32');
  expect(files.warnings).toEqual([expect.stringMatching(/fp16 is not served for this model.*so fp32 is used/)]);
  await expect(load(at, 'cuda:0', 'fp16')).rejects.toThrow(/qwen3: EMBED_DTYPE=fp16 is not served for this model/);
});

it('decides what is downloaded, once', async () => {
  const hub = await HubServer.start(single);
  const modelDir = join(folder, 'downloads');
  const fromHub = (dtype?: Dtype) =>
    loadModel({ name: 'm', source: 'org/tiny' }, { modelDir, hfEndpoint: hub.url, device: 'cuda:0', dtype });
  try {
    const model = await fromHub();
    expect(model.card.dtype).toBe('fp32');
    expect(hub.downloads.filter((path) => path.startsWith('onnx/'))).toEqual(['onnx/model.onnx', 'onnx/weights.bin']);
    expect(model.warnings).toEqual([expect.stringContaining('so fp32 is used instead of fp16')]);
    hub.reset();
    const again = await fromHub();
    expect(hub.seen).toEqual([]);
    expect(again.warnings).toEqual(model.warnings);
    expect(again.card.fingerprint).toBe(model.card.fingerprint);
    await expect(fromHub('fp16')).rejects.toThrow('an ONNX file for fp16');
    await rm(join(single, 'onnx', 'weights.bin'));
    await rm(modelDir, { recursive: true });
    await expect(fromHub()).rejects.toThrow('has its weights in onnx/weights.bin, which the repository lacks');
  } finally {
    hub.close();
  }
});
