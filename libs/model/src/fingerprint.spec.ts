import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#contracts';
import { makeBertModel, makeXlmRobertaModel } from '../../../test/support/random-model.js';
import { loadModel } from './load.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-fingerprint-'));
  await makeBertModel(join(folder, 'bert'), { pooling: 'mean', normalize: true });
  await makeXlmRobertaModel(join(folder, 'xlm-roberta'), { pooling: 'cls' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * Computed by version 0.1.0. Caches and results of a deployment are kept under these: they change only together with
 * the vectors, by COMPILER_VERSION, or with the files of the random models.
 */
it.each<[string, Dtype, string]>([
  ['bert', 'fp32', '6698dcac3ebbcccfcb2bbd90423cbce9'],
  ['bert', 'fp16', 'cdd0d403bd5dc1044704ca66a2ea4717'],
  ['bert', 'int8', '420d9f5ddb46fbea8c2019b1c4e83014'],
  ['xlm-roberta', 'fp32', '5a9313670e3481b4b76caf628d5b5683'],
  ['xlm-roberta', 'int8', '41faaa3f4b185c850f4303f4f1298f43'],
  ['all-MiniLM-L6-v2', 'fp32', '20b59f70b39c91e3eef6e0517faef38f'],
  ['all-MiniLM-L6-v2', 'int8', 'fe4c52ace98eae66437a83701260ef5b'],
])('the fingerprint of %s in %s is that of version 0.1.0', async (name, dtype, expected) => {
  const model = await loadModel(
    { name: 'm', source: name.startsWith('all-') ? name : join(folder, name) },
    { modelDir: join(folder, 'models'), device: 'cpu', dtype, hfEndpoint: 'http://127.0.0.1' },
  );
  expect(model.card.fingerprint).toBe(expected);
  expect(model.warnings).toEqual([]);
});
