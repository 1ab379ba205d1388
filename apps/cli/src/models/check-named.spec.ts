import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '#model';
import { type CommandResult, startCommand } from '../../../../test/support/cli.js';
import { HUB_COMMIT, HubServer } from '../../../../test/support/hub-server.js';
import { makeOnnxFolder } from '../../../../test/support/onnx-folder.js';
import { makeBertModel } from '../../../../test/support/random-model.js';

const folder = mkdtempSync(join(tmpdir(), 'embedmill-check-'));
const modelDir = join(folder, 'models');
const bert = join(folder, 'bert');
let hub: HubServer;
beforeAll(async () => {
  await makeBertModel(bert, { prompts: { query: 'query: ' }, pooling: 'mean', normalize: true });
  hub = await HubServer.start(bert);
});
afterAll(() => {
  hub.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Neither Redis nor a service is anywhere near. */
const check = (args: readonly string[], environment: Record<string, string> = {}): Promise<CommandResult> =>
  startCommand(['models', 'check', ...args], {
    EMBED_MODEL_DIR: modelDir,
    HF_ENDPOINT: hub.url,
    REDIS_URL: 'redis://127.0.0.1:1',
    ...environment,
  }).ended;

it('says in one line how a model of the hub would run, without its weights', async () => {
  expect(await check(['org/tiny'])).toEqual({
    code: 0,
    stdout:
      `org/tiny runs: hub:org/tiny@${HUB_COMMIT}, bert compiled from its weights; fp32 (also fp16, int8); ` +
      'pooling mean, normalised; prompts query; at most 64 tokens; 32 dimensions\n',
    stderr: '',
  });
  expect(hub.downloads.filter((path) => path.includes('safetensors'))).toEqual([]);
  const found = JSON.parse((await check(['org/tiny', '--json', '--dtype', 'int8'])).stdout) as unknown;
  expect(found).toMatchObject({
    name: 'org/tiny',
    runs: true,
    graph: 'compiled',
    architecture: 'bert',
    dtype: 'int8',
    otherDtypes: ['fp32', 'fp16'],
    pooling: 'mean',
    prompts: { query: 'query: ' },
    maxTokens: 64,
    dimensions: 32,
  });
  expect(existsSync(join(modelDir, 'graphs'))).toBe(false);
});

it('gives the reason that a worker gives, and exit code 1', async () => {
  const path = join(bert, 'config.json');
  const config = readFileSync(path, 'utf8');
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(config) as object), is_decoder: true }));
  try {
    const loading = loadModel({ name: 'm', source: bert }, { modelDir, device: 'cpu', hfEndpoint: hub.url });
    const reason = await loading.then(
      () => '',
      (error: Error) => error.message,
    );
    expect(reason).toContain('is_decoder is true');
    expect(await check([bert])).toEqual({ code: 1, stdout: `${bert} does not run: ${reason}\n`, stderr: '' });
    const { code, stdout } = await check([bert, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ name: bert, runs: false, reason });
  } finally {
    writeFileSync(path, config);
  }
  expect(await check(['no-model-of-that-name'])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('no such folder, no such name in models.json') as string,
  });
});

it('knows packages, names in EMBED_MODELS and models.json', async () => {
  const packaged = await check(['all-MiniLM-L6-v2']);
  expect(packaged.stdout).toMatch(/^all-MiniLM-L6-v2 runs: npm:.*; at most 256 tokens; 384 dimensions\n$/);
  const models = join(folder, 'models.json');
  writeFileSync(models, JSON.stringify({ own: { source: bert, maxTokens: 16, instruction: 'do {instruction}: ' } }));
  const own = await check(['mine'], { EMBED_MODELS: 'mine=own', EMBED_MODELS_FILE: models });
  expect(own.stdout).toContain('prompts query, free instructions; at most 16 tokens');
});

it('reads an ONNX file that is there, and says so where it is not', async () => {
  const { at } = await makeOnnxFolder(folder, 'onnx', { pooling: 'cls' }, (graph) => {
    graph.node('DynamicQuantizeLinear', [graph.first('first')], ['q', 'scale', 'zero']);
    graph.node('DequantizeLinear', ['q', 'scale', 'zero'], 'rounded');
    graph.node('Concat', ['rounded', 'rounded'], 'sentence_embedding', { axis: 1 });
    graph.output('sentence_embedding', ['rows', 64]);
  });
  expect((await check([at])).stdout).toMatch(/ does not run: .*model\.onnx rounds numbers to a scale .*rowsPerBatch/);
  const models = join(folder, 'alone.json');
  writeFileSync(models, JSON.stringify({ alone: { source: at, rowsPerBatch: 1 } }));
  const alone = await check(['alone'], { EMBED_MODELS_FILE: models, EMBED_DEVICE: 'webgpu' });
  expect(alone.code).toBe(0);
  expect(alone.stdout).toMatch(/its ONNX file \(bert\); fp32; pooling by its own graph; .*; 64 dimensions\n$/);
  expect(alone.stderr).toContain('so fp32 is used instead of fp16');

  renameSync(join(bert, 'model.safetensors'), join(folder, 'elsewhere'));
  renameSync(join(at, 'model.onnx'), join(bert, 'model.onnx'));
  hub.reset();
  const remote = await check(['org/tiny']);
  expect(remote.stdout).toMatch(/its ONNX file \(bert\); .*; its ONNX file is read when it is downloaded, and may be/);
  expect(hub.downloads.filter((path) => path.endsWith('.onnx'))).toEqual([]);
});
