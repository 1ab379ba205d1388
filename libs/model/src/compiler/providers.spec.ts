import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKPOINTS } from '../../../../test/support/checkpoints.js';
import { cosine, runRows, TINY_ROWS } from '../../../../test/support/encoder-check.js';
import { loadModel } from '../load.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-providers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The CPU has kernels for the operators of all providers, so their graphs are tested without a GPU. */
it.each(Object.keys(CHECKPOINTS))('%s has the same vectors by the graph of each provider', async (name) => {
  const source = join(folder, name);
  await CHECKPOINTS[name]!(source);
  const load = (device: string) =>
    loadModel(
      { name, source },
      { modelDir: join(folder, 'graphs'), device, dtype: 'fp32', hfEndpoint: 'http://127.0.0.1:1' },
    );
  const cpu = await load('cpu');
  const expected = await runRows(cpu, TINY_ROWS);
  for (const device of ['cuda:0', 'webgpu']) {
    const model = await load(device);
    expect(model.onnxPath).not.toBe(cpu.onnxPath);
    // Another provider rounds otherwise, as another CPU does: rows of a mixed fleet are interchangeable.
    expect(model.card.fingerprint).toBe(cpu.card.fingerprint);
    const vectors = await runRows(model, TINY_ROWS);
    for (const [row, vector] of vectors.entries()) expect(cosine(vector, expected[row]!)).toBeGreaterThan(0.999_999);
  }
});
