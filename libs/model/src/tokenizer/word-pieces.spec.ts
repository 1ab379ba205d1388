import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBertModel } from '../../../../test/support/random-model.js';
import { loadModel } from '../load.js';
import type { RunnableModel } from '../types.js';
import { encodeAll } from './encode-all.fixture.js';
import { TokenizerThread } from './tokenizer-thread.js';

let folder: string;
let models = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-vocabulary-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const PIECES = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'fox', 'Fox', '##es', 'é', '<q>'];

/** A BERT model without tokenizer.json. */
async function model(files: Readonly<Record<string, string>>): Promise<string> {
  const at = join(folder, String(models++));
  await makeBertModel(at);
  await rm(join(at, 'tokenizer.json'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(at, name), content);
  return at;
}

function load(source: string): Promise<RunnableModel> {
  const options = { modelDir: join(folder, 'models'), device: 'cpu', hfEndpoint: 'http://127.0.0.1:9' };
  return loadModel({ name: 'm', source }, options);
}

async function idsOf(at: string, text: string): Promise<number[]> {
  const tokenizer = await TokenizerThread.start((await load(at)).tokenizerFiles);
  try {
    const [encoded] = await encodeAll(tokenizer, [[text]], { prompt: '', truncate: 'end', maxTokens: 64 });
    return Array.from(encoded!.ids);
  } finally {
    await tokenizer.close();
  }
}

const VOCABULARY = PIECES.map((piece) => `${piece}\n`).join('');

it("makes BERT's tokenizer of vocab.txt, lower case by default", async () => {
  const at = await model({ 'vocab.txt': VOCABULARY });
  expect(await idsOf(at, 'Foxes é [SEP] cat')).toEqual([2, 5, 7, 1, 3, 1, 3]);
  expect((await load(at)).card.fingerprint).toMatch(/^[0-9a-f]{32}$/);
});

it('takes the settings of tokenizer_config.json, and line ends of every kind', async () => {
  const config = {
    do_lower_case: false,
    strip_accents: false,
    cls_token: '<q>',
    mask_token: { content: '[MASK]', lstrip: true },
    added_tokens_decoder: {
      2: { content: '[CLS]', special: true, normalized: false },
      10: { content: 'brown fox', special: false, normalized: false },
    },
  };
  const at = await model({
    'vocab.txt': PIECES.join('\r\n'),
    'tokenizer_config.json': JSON.stringify(config),
  });
  expect(await idsOf(at, 'Foxes é [CLS] brown fox')).toEqual([9, 6, 7, 8, 2, 10, 3]);
});

it.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ['sentencepiece', { 'sentencepiece.bpe.model': 'x' }, /no tokenizer\.json; write tokenizer\.json .*AutoTokenizer/],
  ['tokens added beside it', { 'vocab.txt': VOCABULARY, 'added_tokens.json': '{}' }, /no tokenizer\.json; write/],
  ['a special token too few', { 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n' }, /vocab\.txt: there is no piece "\[SEP\]"/],
  [
    'another class',
    { 'vocab.txt': VOCABULARY, 'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'BertweetTokenizer' }) },
    /vocab\.txt: .* this is of "bertweet"; write tokenizer\.json/,
  ],
])('refuses %s in one line', async (_, files, message) => {
  await expect(load(await model(files))).rejects.toThrow(message);
});

it('is not used beside tokenizer.json', async () => {
  const at = join(folder, 'both');
  await makeBertModel(at);
  const before = await load(at);
  await writeFile(join(at, 'vocab.txt'), VOCABULARY);
  const after = await load(at);
  expect(after.card.fingerprint).toBe(before.card.fingerprint);
  expect(JSON.stringify(after.tokenizerFiles)).toContain(
    JSON.stringify((JSON.parse(await readFile(join(at, 'tokenizer.json'), 'utf8')) as { model: unknown }).model),
  );
});
