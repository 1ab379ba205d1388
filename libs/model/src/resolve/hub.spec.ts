import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { addDenseModule } from '../../../../test/support/dense-module.js';
import { encodeSafetensors, makeBertModel } from '../../../../test/support/random-model.js';
import { loadModel } from '../load.js';
import type { DownloadProgress } from './download.js';
import { downloadedModels } from './downloaded.js';
import { filesFromHub, NotDownloadedError } from './hub.js';

const COMMIT = 'c0ffee'.repeat(6) + 'c0ff';
const TOKEN = 'hf_secret';

/** What the server does besides serving. */
interface Faults {
  /** Requests for weights that break off half way. */
  breaks: number;
  /** Bytes of the weights that are changed on the way. */
  corrupt: boolean;
  needToken: boolean;
}

let folder: string;
let modelDir: string;
let origin: string;
let server: Server;
let hub: string;
const faults: Faults = { breaks: 0, corrupt: false, needToken: false };
const seen: { path: string; range: string | undefined }[] = [];

/** Serves a model folder under the hub's URLs. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://hub');
  seen.push({ path: url.pathname, range: request.headers.range });
  if (faults.needToken && request.headers.authorization !== `Bearer ${TOKEN}`)
    return void response.writeHead(401).end();
  if (url.pathname === '/api/models/org/tiny/revision/main' || url.pathname === `/api/models/org/tiny/revision/v1.0`) {
    return json(response, {
      _id: '1',
      id: 'org/tiny',
      sha: COMMIT,
      private: false,
      likes: 0,
      downloads: 0,
      gated: false,
      lastModified: '2024-01-01T00:00:00Z',
    });
  }
  if (url.pathname === `/api/models/org/tiny/tree/${COMMIT}`) return json(response, await listing());
  const file = new RegExp(`^/org/tiny/resolve/${COMMIT}/(.+)$`).exec(url.pathname)?.[1];
  if (file === undefined) return void response.writeHead(404).end();
  let body = await readFile(join(origin, file));
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const weights = file === 'model.safetensors';
  if (weights && faults.corrupt) {
    body = Buffer.from(body);
    body[body.length - 1]! ^= 1;
  }
  body = body.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length });
  if (weights && faults.breaks > 0) {
    faults.breaks--;
    response.write(body.subarray(0, Math.floor(body.length / 2)));
    // Late enough for the half to arrive.
    setTimeout(() => response.destroy(), 100);
    return;
  }
  response.end(body);
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function listing(): Promise<unknown[]> {
  const entries = (await readdir(origin, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const content = await readFile(path);
      const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
      const large = path.endsWith('.safetensors') || path.endsWith('.bin');
      const lfs = { oid: createHash('sha256').update(content).digest('hex'), size: content.length, pointerSize: 130 };
      return { type: 'file', path: relative(origin, path), size: content.length, oid, ...(large ? { lfs } : {}) };
    }),
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-hub-'));
  origin = join(folder, 'origin');
  await makeBertModel(origin, { prompts: { query: 'query: ' } });
  await writeFile(join(origin, 'pytorch_model.bin'), 'not wanted');
  await writeFile(join(origin, 'README.md'), '# tiny');
  server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  modelDir = await mkdtemp(join(folder, 'models-'));
  Object.assign(faults, { breaks: 0, corrupt: false, needToken: false });
  seen.length = 0;
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
    source: `hub:org/tiny@${COMMIT}`,
    maxTokens: 64,
    operations: { embed: { dimensions: 32 } },
    prompts: { query: 'query: ' },
  });
  const files = seen.map(({ path }) => path).filter((path) => path.includes('/resolve/'));
  expect(files.some((path) => path.endsWith('model.safetensors'))).toBe(true);
  expect(files.filter((path) => path.endsWith('.bin') || path.endsWith('.md'))).toEqual([]);
  seen.length = 0;
  const again = await loadModel(
    { name: 'tiny', source: 'org/tiny@v1.0' },
    { modelDir, device: 'cpu', hfEndpoint: hub },
  );
  expect(seen).toEqual([]);
  expect(again.card.fingerprint).toBe(model.card.fingerprint);
});

it('is not downloaded where that is not wanted, and listed once it is there', async () => {
  const offline = { modelDir, dtype: 'fp32', hfEndpoint: hub, overrides: {}, offline: true } as const;
  await expect(filesFromHub('org/tiny', offline)).rejects.toThrow(NotDownloadedError);
  expect(seen).toEqual([]);
  expect(await downloadedModels(modelDir)).toEqual([]);
  await fetchModel();
  expect((await filesFromHub('org/tiny', offline)).source).toBe(`hub:org/tiny@${COMMIT}`);
  const [model, ...others] = await downloadedModels(modelDir);
  expect(others).toEqual([]);
  expect(model).toMatchObject({ id: 'org/tiny', revision: 'main', commit: COMMIT, dtype: 'fp32' });
  expect(model!.bytes).toBeGreaterThan((await stat(join(origin, 'model.safetensors'))).size);
});

it('reports progress and resumes where a broken connection left off', async () => {
  faults.breaks = 2;
  const progress: DownloadProgress[] = [];
  const files = await fetchModel('org/tiny', (one) => progress.push(one));
  expect(await readFile(files.weights[0]!)).toEqual(await readFile(join(origin, 'model.safetensors')));
  const requests = seen.filter(({ path }) => path.endsWith('model.safetensors'));
  expect(requests).toHaveLength(3);
  expect(requests.slice(1).every(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
  const last = progress.filter(({ file }) => file === 'model.safetensors').at(-1)!;
  expect(last.done).toBe(last.total);
});

it('throws a download away whose checksum is wrong, and says so', async () => {
  faults.corrupt = true;
  await expect(fetchModel()).rejects.toThrow(
    /model\.safetensors: its checksum is [0-9a-f]{64}, the hub lists [0-9a-f]{64}/,
  );
  faults.corrupt = false;
  expect((await fetchModel()).weights).toHaveLength(1);
});

it('names HF_TOKEN when it is refused, and sends it when it is given', async () => {
  faults.needToken = true;
  await expect(fetchModel()).rejects.toThrow(/401.*HF_TOKEN/);
  expect((await fetchModel('org/tiny', undefined, TOKEN)).weights).toHaveLength(1);
});

it('says what is wrong with an unknown model or a hub out of reach', async () => {
  await expect(fetchModel('org/none')).rejects.toThrow(/404: no such model, revision or file/);
  const away = filesFromHub('org/tiny', { modelDir, dtype: 'fp32', hfEndpoint: 'http://127.0.0.1:9', overrides: {} });
  await expect(away).rejects.toThrow(/org\/tiny: the hub at .* cannot be reached .*HF_ENDPOINT/);
});

it('is safe when two want the same model at once', async () => {
  const [a, b] = await Promise.all([fetchModel(), fetchModel()]);
  expect(a).toEqual(b);
  expect(seen.filter(({ path }) => path.endsWith('model.safetensors'))).toHaveLength(1);
});

it('downloads the Dense modules that modules.json names, and no others', async () => {
  await addDenseModule(origin, { inputs: 32, outputs: 16 });
  await cp(join(origin, '2_Dense'), join(origin, '2_Dense_8'), { recursive: true });
  const files = await fetchModel();
  expect(files.dense.map(({ folder: name }) => name)).toEqual(['2_Dense']);
  expect(seen.map(({ path }) => path).filter((path) => /Dense.*safetensors/.test(path))).toEqual([
    `/org/tiny/resolve/${COMMIT}/2_Dense/model.safetensors`,
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
  const bert = origin;
  origin = join(folder, 'static');
  const body = join(origin, '0_StaticEmbedding');
  await mkdir(body, { recursive: true });
  await cp(join(bert, 'tokenizer.json'), join(body, 'tokenizer.json'));
  const table = { shape: [500, 4], data: new Float32Array(2000) };
  await writeFile(join(body, 'model.safetensors'), encodeSafetensors(new Map([['embedding.weight', table]])));
  const modules = [{ type: 'sentence_transformers.models.StaticEmbedding', path: '0_StaticEmbedding' }];
  await writeFile(join(origin, 'modules.json'), JSON.stringify(modules));
  try {
    const options = { modelDir, device: 'cpu', hfEndpoint: hub };
    const model = await loadModel({ name: 'tiny', source: 'org/tiny' }, options);
    expect(model).toMatchObject({ graph: { width: 4 }, takesEmpty: true });
    seen.length = 0;
    const again = await loadModel({ name: 'tiny', source: 'org/tiny' }, options);
    expect([again.card.fingerprint, seen]).toEqual([model.card.fingerprint, []]);
  } finally {
    origin = bert;
  }
});
