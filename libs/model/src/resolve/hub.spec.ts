import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDenseModule } from '../../../../test/support/dense-module.js';
import { HUB_COMMIT, HUB_TOKEN, HubServer } from '../../../../test/support/hub-server.js';
import { encodeSafetensors, makeBertModel } from '../../../../test/support/random-model.js';
import { loadModel } from '../load.js';
import type { DownloadProgress } from './download.js';
import { downloadedModels } from './downloaded.js';
import { filesFromHub, NotDownloadedError } from './hub.js';

let folder: string;
let modelDir: string;
let origin: string;
let server: HubServer;
let hub: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-hub-'));
  origin = join(folder, 'origin');
  await makeBertModel(origin, { prompts: { query: 'query: ' } });
  await writeFile(join(origin, 'pytorch_model.bin'), 'not wanted');
  await writeFile(join(origin, 'README.md'), '# tiny');
  server = await HubServer.start(origin);
  hub = server.url;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  modelDir = await mkdtemp(join(folder, 'models-'));
  server.reset();
});

function fetchModel(id = 'org/tiny', onProgress?: (progress: DownloadProgress) => void, hfToken?: string) {
  return filesFromHub(id, { modelDir, dtype: 'fp32', hfEndpoint: hub, hfToken, overrides: {}, onProgress });
}

it('downloads what is needed, once, and runs from it', async () => {
  const model = await loadModel(
    { name: 'tiny', source: 'org/tiny@v1.0' },
    { modelDir, device: 'cpu', hfEndpoint: hub },
  );
  expect(model.card).toMatchObject({
    name: 'tiny',
    source: `hub:org/tiny@${HUB_COMMIT}`,
    maxTokens: 64,
    operations: { embed: { dimensions: 32 } },
    prompts: { query: 'query: ' },
  });
  const files = server.seen.map(({ path }) => path).filter((path) => path.includes('/resolve/'));
  expect(files.some((path) => path.endsWith('model.safetensors'))).toBe(true);
  expect(files.filter((path) => path.endsWith('.bin') || path.endsWith('.md'))).toEqual([]);
  server.seen.length = 0;
  const again = await loadModel(
    { name: 'tiny', source: 'org/tiny@v1.0' },
    { modelDir, device: 'cpu', hfEndpoint: hub },
  );
  expect(server.seen).toEqual([]);
  expect(again.card.fingerprint).toBe(model.card.fingerprint);
});

it('is not downloaded where that is not wanted, and listed once it is there', async () => {
  const offline = { modelDir, dtype: 'fp32', hfEndpoint: hub, overrides: {}, offline: true } as const;
  await expect(filesFromHub('org/tiny', offline)).rejects.toThrow(NotDownloadedError);
  expect(server.seen).toEqual([]);
  expect(await downloadedModels(modelDir)).toEqual([]);
  await fetchModel();
  expect((await filesFromHub('org/tiny', offline)).source).toBe(`hub:org/tiny@${HUB_COMMIT}`);
  const [model, ...others] = await downloadedModels(modelDir);
  expect(others).toEqual([]);
  expect(model).toMatchObject({ id: 'org/tiny', revision: 'main', commit: HUB_COMMIT, dtype: 'fp32' });
  expect(model!.bytes).toBeGreaterThan((await stat(join(origin, 'model.safetensors'))).size);
});

it('reports progress and resumes where a broken connection left off', async () => {
  server.faults.breaks = 2;
  const progress: DownloadProgress[] = [];
  const files = await fetchModel('org/tiny', (one) => progress.push(one));
  expect(await readFile(files.weights[0]!)).toEqual(await readFile(join(origin, 'model.safetensors')));
  const requests = server.seen.filter(({ path }) => path.endsWith('model.safetensors'));
  expect(requests).toHaveLength(3);
  expect(requests.slice(1).every(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
  const last = progress.filter(({ file }) => file === 'model.safetensors').at(-1)!;
  expect(last.done).toBe(last.total);
});

it('throws a download away whose checksum is wrong, and says so', async () => {
  server.faults.corrupt = true;
  await expect(fetchModel()).rejects.toThrow(
    /model\.safetensors: its checksum is [0-9a-f]{64}, the hub lists [0-9a-f]{64}/,
  );
  server.faults.corrupt = false;
  expect((await fetchModel()).weights).toHaveLength(1);
});

it('names HF_TOKEN when it is refused, and sends it when it is given', async () => {
  server.faults.needToken = true;
  await expect(fetchModel()).rejects.toThrow(/401.*HF_TOKEN/);
  expect((await fetchModel('org/tiny', undefined, HUB_TOKEN)).weights).toHaveLength(1);
});

it('says what is wrong with an unknown model or a hub out of reach', async () => {
  await expect(fetchModel('org/none')).rejects.toThrow(/404: no such model, revision or file/);
  const away = filesFromHub('org/tiny', { modelDir, dtype: 'fp32', hfEndpoint: 'http://127.0.0.1:9', overrides: {} });
  await expect(away).rejects.toThrow(/org\/tiny: the hub at .* cannot be reached .*HF_ENDPOINT/);
});

it('is safe when two want the same model at once', async () => {
  const [a, b] = await Promise.all([fetchModel(), fetchModel()]);
  expect(a).toEqual(b);
  expect(server.seen.filter(({ path }) => path.endsWith('model.safetensors'))).toHaveLength(1);
});

it('downloads the Dense modules that modules.json names, and no others', async () => {
  await addDenseModule(origin, { inputs: 32, outputs: 16 });
  await cp(join(origin, '2_Dense'), join(origin, '2_Dense_8'), { recursive: true });
  const files = await fetchModel();
  expect(files.dense.map(({ folder: name }) => name)).toEqual(['2_Dense']);
  expect(server.seen.map(({ path }) => path).filter((path) => /Dense.*safetensors/.test(path))).toEqual([
    `/org/tiny/resolve/${HUB_COMMIT}/2_Dense/model.safetensors`,
  ]);
  const options = { modelDir, device: 'cpu', hfEndpoint: hub };
  const model = await loadModel({ name: 'tiny', source: 'org/tiny' }, options);
  expect(model.graph.width).toBe(16);
  const sizes = [join(origin, 'model.safetensors'), files.dense[0]!.weights!].map(
    async (path) => (await stat(path)).size,
  );
  const [listed] = await downloadedModels(modelDir);
  expect(listed!.bytes).toBeGreaterThan((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0));
});

it('downloads a static model, which has no config.json', async () => {
  const table = join(folder, 'static');
  const body = join(table, '0_StaticEmbedding');
  await mkdir(body, { recursive: true });
  await cp(join(origin, 'tokenizer.json'), join(body, 'tokenizer.json'));
  const vectors = { shape: [500, 4], data: new Float32Array(2000) };
  await writeFile(join(body, 'model.safetensors'), encodeSafetensors(new Map([['embedding.weight', vectors]])));
  const modules = [{ type: 'sentence_transformers.models.StaticEmbedding', path: '0_StaticEmbedding' }];
  await writeFile(join(table, 'modules.json'), JSON.stringify(modules));
  const other = await HubServer.start(table);
  try {
    const options = { modelDir, device: 'cpu', hfEndpoint: other.url };
    const model = await loadModel({ name: 'tiny', source: 'org/tiny' }, options);
    expect(model).toMatchObject({ graph: { width: 4 }, takesEmpty: true });
    other.seen.length = 0;
    const again = await loadModel({ name: 'tiny', source: 'org/tiny' }, options);
    expect([again.card.fingerprint, other.seen]).toEqual([model.card.fingerprint, []]);
  } finally {
    other.close();
  }
});

it('downloads no weights of a model whose results are not vectors', async () => {
  const module = (idx: number, path: string, name: string) => ({
    idx,
    name: `${idx}`,
    path,
    type: `st.models.${name}`,
  });
  const modules = [module(0, '', 'MLMTransformer'), module(1, '1_Splade', 'SpladePooling')];
  await writeFile(join(origin, 'modules.json'), JSON.stringify(modules));
  await mkdir(join(origin, '1_Splade'));
  await writeFile(join(origin, '1_Splade/config.json'), JSON.stringify({ pooling_strategy: 'max' }));
  await expect(fetchModel()).rejects.toThrow(/modules\.json: its modules end with SpladePooling, a sparse encoder/);
  expect(server.seen.filter(({ path }) => path.includes('safetensors'))).toEqual([]);
});
