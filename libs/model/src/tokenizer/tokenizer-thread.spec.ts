import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { ModelTexts } from '#contracts';
import { makeBertModel, makeXlmRobertaModel } from '../../../../test/support/random-model.js';
import type { TokenizerFiles } from '../types.js';
import { TokenizerThread } from './tokenizer-thread.js';

const DEFAULT = { prompt: '', truncate: 'end', maxTokens: 64 } as const;
let folder: string;
const open: TokenizerThread[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-tokenizer-'));
  await makeBertModel(join(folder, 'bert'));
  await makeXlmRobertaModel(join(folder, 'xlmr'));
});
afterAll(async () => {
  for (const tokenizer of open) await tokenizer.close();
  await rm(folder, { recursive: true, force: true });
});

async function files(name: string): Promise<TokenizerFiles> {
  const json = async (file: string) => JSON.parse(await readFile(join(folder, name, file), 'utf8')) as unknown;
  return { tokenizer: await json('tokenizer.json'), config: await json('tokenizer_config.json') };
}

async function start(name: string): Promise<TokenizerThread> {
  const tokenizer = await TokenizerThread.start(await files(name));
  open.push(tokenizer);
  return tokenizer;
}

const TEXTS = [
  'the quick brown fox',
  'a',
  '',
  'Ünïcödé, 你好!',
  'emoji 😀 here',
  'x = y[3]; // code',
  '  spaces  ',
  'zzz'.repeat(5),
];

it('lower-cases texts and prompts first, where the model does', async () => {
  const plain = await start('xlmr');
  const lower = await TokenizerThread.start({ ...(await files('xlmr')), lowerCase: true });
  open.push(lower);
  const [one] = await lower.encode([['THE QUICK BROWN Fox']], { ...DEFAULT, prompt: 'NUMBER: ' });
  const [two] = await plain.encode([['the quick brown fox']], { ...DEFAULT, prompt: 'number: ' });
  const [other] = await plain.encode([['THE QUICK BROWN Fox']], { ...DEFAULT, prompt: 'NUMBER: ' });
  expect(one).toEqual(two);
  expect(one!.ids).not.toEqual(other!.ids);
});

it.each(['bert', 'xlmr'])('gives the ids that the library gives, special tokens and all: %s', async (name) => {
  const { tokenizer, config } = await files(name);
  const library = new HuggingFaceTokenizer(tokenizer, config);
  const encoded = await (
    await start(name)
  ).encode(
    TEXTS.map((text) => [text]),
    DEFAULT,
  );
  for (const [n, text] of TEXTS.entries()) {
    const { ids } = library.encode(text);
    expect([...encoded[n]!.ids]).toEqual(ids);
    expect(encoded[n]).toMatchObject({ types: null, length: ids.length, truncated: false });
  }
});

it.each([
  ['bert', 2, 3],
  ['xlmr', 0, 2],
])('cuts only the text, on the side asked for: %s', async (name, first, last) => {
  const tokenizer = await start(name);
  const text = 'the quick brown fox jumps over the lazy dog';
  const [whole] = await tokenizer.encode([[text]], DEFAULT);
  const inner = [...whole!.ids.slice(1, -1)];
  const cut = async (truncate: 'end' | 'start' | 'middle') => {
    const [one] = await tokenizer.encode([[text]], { prompt: '', truncate, maxTokens: 7 });
    expect(one).toMatchObject({ truncated: true, length: whole!.length });
    expect([one!.ids[0], one!.ids.at(-1), one!.ids.length]).toEqual([first, last, 7]);
    return [...one!.ids.slice(1, -1)];
  };
  expect(await cut('end')).toEqual(inner.slice(0, 5));
  expect(await cut('start')).toEqual(inner.slice(-5));
  expect(await cut('middle')).toEqual([...inner.slice(0, 3), ...inner.slice(-2)]);
});

it('keeps the prompt whatever is cut off', async () => {
  const tokenizer = await start('bert');
  const [prompt] = await tokenizer.encode([['query: ']], DEFAULT);
  const head = prompt!.ids.slice(0, -1);
  for (const truncate of ['end', 'start', 'middle'] as const) {
    const [one] = await tokenizer.encode([['fox '.repeat(50)]], { prompt: 'query: ', truncate, maxTokens: 20 });
    expect(one!.ids).toHaveLength(20);
    expect(one!.ids.slice(0, head.length)).toEqual(head);
    expect(one!.length).toBe(50 + prompt!.length);
  }
});

it('takes lone surrogates and a megabyte of text', async () => {
  const tokenizer = await start('bert');
  const [odd] = await tokenizer.encode([['a \ud800 b']], DEFAULT);
  expect(odd!.ids.length).toBeGreaterThan(2);
  for (const unit of ['fox jumps ', 'x', '你']) {
    const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
    const [one] = await tokenizer.encode([[text]], { ...DEFAULT, maxTokens: 64 });
    expect(one!.ids).toHaveLength(64);
    expect(one!.truncated).toBe(true);
    expect(one!.length).toBeGreaterThan(64);
  }
  const [words] = await tokenizer.encode([['fox '.repeat(100_000)]], DEFAULT);
  expect(words!.length).toBe(100_002);
});

it('answers many calls at once, each with its own', async () => {
  const tokenizer = await start('bert');
  const calls = Array.from({ length: 50 }, (_, n) =>
    Array.from({ length: n % 5 }, (_, i): ModelTexts => ['fox '.repeat(1 + ((n + i) % 7))]),
  );
  const results = await Promise.all(calls.map((inputs) => tokenizer.encode(inputs, DEFAULT)));
  results.forEach((encoded, n) => {
    expect(encoded.map(({ ids }) => ids.length)).toEqual(calls[n]!.map(([text]) => 2 + text.trim().split(' ').length));
  });
});

it('says why a tokenizer cannot be used', async () => {
  await expect(TokenizerThread.start({ tokenizer: { model: { type: 'Nonsense' } }, config: {} })).rejects.toThrow(
    /the tokenizer cannot be used: /,
  );
});
