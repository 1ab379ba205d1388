import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootError, type Dtype } from '#contracts';
import { CHECKPOINTS } from '../../../../../test/support/checkpoints.js';
import { denseHead, poolingHead } from '../index.js';
import { requireDtype } from '../../dtype-for.js';
import { readManifest } from '../../manifest.js';
import type { Provider } from '../../provider.js';
import { filesInFolder } from '../../resolve/folder.js';
import { ARCHITECTURES } from '../architectures/index.js';
import { compileModel } from '../compile-model.js';
import { readModel } from '../onnx/found-graph.js';
import { missingKernels } from './missing-kernels.fixture.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-kernels-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const GRAPHS: readonly (readonly [Provider, Dtype])[] = [
  ['cpu', 'fp32'],
  ['cpu', 'fp16'],
  ['cpu', 'int8'],
  ['cuda', 'fp32'],
  ['cuda', 'fp16'],
  ['webgpu', 'fp32'],
  ['webgpu', 'fp16'],
];

async function compiled(name: string, provider: Provider, dtype: Dtype) {
  const files = await filesInFolder(join(folder, name), 'folder:test', 'fp32');
  const manifest = await readManifest(files);
  requireDtype(manifest, dtype, files.source);
  const head = denseHead(poolingHead(manifest.pooling), manifest.dense);
  const options = { dtype, modelDir: join(folder, 'graphs'), head, provider };
  const { onnxPath } = await compileModel(files, manifest, manifest.encoder!, options);
  return { architecture: manifest.architecture, model: await readModel(onnxPath) };
}

const seen = new Set<string>();

it.each(Object.keys(CHECKPOINTS))('every operator of %s has a kernel wherever it runs', async (name) => {
  await CHECKPOINTS[name]!(join(folder, name));
  for (const [provider, dtype] of GRAPHS) {
    try {
      const { architecture, model } = await compiled(name, provider, dtype);
      seen.add(architecture);
      expect([provider, dtype, missingKernels(model, provider)]).toEqual([provider, dtype, []]);
    } catch (error) {
      // Some families are not served in half precision, or only in fp32.
      if (!(error instanceof BootError && dtype !== 'fp32')) throw error;
      expect(error.message).toMatch(new RegExp(`${dtype} is not served`));
    }
  }
});

it('every architecture was checked', () => {
  // Tables are known by their modules, and in no list.
  const all = [...ARCHITECTURES.map(({ name }) => name), 'static'];
  expect([...seen].sort()).toEqual(all.sort());
});

it("tells of a graph that was not written for WebGPU: the CPU's", async () => {
  const { model } = await compiled('bert-mean-new', 'cpu', 'fp32');
  expect(missingKernels(model, 'webgpu')).toEqual(
    expect.arrayContaining([
      'Cast-19(l) ids32',
      expect.stringMatching(/^ms\.EmbedLayerNormalization-1\(.*\) embeddings$/) as unknown,
      expect.stringMatching(/^ms\.Attention-1\(f,f,f,i\) layer0\.attention$/) as unknown,
    ]),
  );
});

it('tells of grouped attention in fp32, which CUDA does not have', async () => {
  const { model } = await compiled('qwen3-last', 'cpu', 'fp32');
  expect(missingKernels(model, 'cuda').join('\n')).toMatch(/^ms\.GroupQueryAttention-1\(f,.*\) layer0\.attention$/m);
});
