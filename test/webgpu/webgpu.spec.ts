import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadModel } from '#model';
import { CHECKPOINTS } from '../support/checkpoints.js';
import { softwareVulkan } from '../support/software-vulkan.js';
import type { Outcome, Pair } from './on-device.js';

const environment = softwareVulkan();
if (environment === null) {
  console.warn('no Vulkan device in software (Debian: chromium and libvulkan1): graphs for WebGPU are not run');
}

/**
 * One of each way of building a graph: a device in software takes seconds for each. With EMBED_TEST_WEBGPU=all every
 * family and layout, which takes minutes.
 */
const FEW = ['bert-cls-mean', 'bert-max', 'bert-last', 'jina-bert-code', 'mpnet-mean', 'modernbert-mean'];
const MORE = ['gemma3-dense', 'llama-biased', 'mistral-window-mean'];
const NAMES = process.env.EMBED_TEST_WEBGPU === 'all' ? Object.keys(CHECKPOINTS) : [...FEW, ...MORE];

let folder: string;
let outcomes: Map<string, Outcome>;

(environment === null ? describe.skip : describe)('on WebGPU, with no fallback to the CPU', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedmill-webgpu-'));
    const pairs: Pair[] = [];
    for (const name of NAMES) {
      const source = join(folder, name);
      await CHECKPOINTS[name]!(source);
      const load = (device: string) =>
        loadModel(
          { name, source },
          { modelDir: join(folder, 'graphs'), device, dtype: 'fp32', hfEndpoint: 'http://127.0.0.1:1' },
        );
      pairs.push({ name, cpu: await load('cpu'), webgpu: await load('webgpu') });
    }
    // A graph that is not written for WebGPU, to see that fallback is refused indeed.
    const { cpu } = pairs.find(({ name }) => name === 'bert-max')!;
    pairs.push({ name: 'control', cpu, webgpu: cpu });
    const file = join(folder, 'pairs.json');
    await writeFile(file, JSON.stringify(pairs));
    const program = fileURLToPath(new URL('on-device.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, file], { env: environment! });
    outcomes = new Map((JSON.parse(stdout) as Outcome[]).map((outcome) => [outcome.name, outcome]));
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(NAMES)('%s has the vectors that it has on the CPU', (name) => {
    const { cosine, error } = outcomes.get(name)!;
    expect([name, error]).toEqual([name, '']);
    expect(cosine).toBeGreaterThan(0.99999);
  });

  it('passes the probe, in half precision only with shaders for it', () => {
    expect(outcomes.get('probe fp32')).toMatchObject({ error: '' });
    expect(outcomes.get('probe fp16')!.error).toMatch(/^$|^device webgpu cannot .*EMBED_DTYPE=fp32/);
  });

  it("refuses the CPU's graph, which would fall back", () => {
    expect(outcomes.get('control')).toMatchObject({ cosine: null, error: expect.stringMatching(/CPU EP/) as unknown });
  });
});
