import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { ModelTexts } from '#contracts';
import { makeBertModel, makeXlmRobertaModel } from '../../../../test/support/random-model.js';
import type { TokenizerFiles } from '../types.js';
import { DRIVER_NAMES, type DriverName } from './drivers/driver.js';
import { encodeAll } from './encode-all.fixture.js';
import { TokenizerThread } from './tokenizer-thread.js';

const DEFAULT = { prompt: '', truncate: 'end', maxTokens: 64 } as const;

const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
const sequence = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
const tokens = (ids: Record<string, number>) =>
  Object.fromEntries(Object.entries(ids).map(([id, number]) => [id, { id, ids: [number], tokens: [id] }]));

/** How the published tokenizers of both families put two texts together. */
const POST_PROCESSORS: Record<string, { family: 'bert' | 'xlmr'; processor: object }> = {
  'BERT by template': {
    family: 'bert',
    processor: {
      type: 'TemplateProcessing',
      single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
      pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
      special_tokens: tokens({ '[CLS]': 2, '[SEP]': 3 }),
    },
  },
  'BERT by its own processor': {
    family: 'bert',
    processor: { type: 'BertProcessing', cls: ['[CLS]', 2], sep: ['[SEP]', 3] },
  },
  'XLM-RoBERTa by template': {
    family: 'xlmr',
    processor: {
      type: 'TemplateProcessing',
      single: [special('<s>', 0), sequence('A', 0), special('</s>', 0)],
      pair: [
        ...[special('<s>', 0), sequence('A', 0), special('</s>', 0)],
        ...[special('</s>', 0), sequence('B', 0), special('</s>', 0)],
      ],
      special_tokens: tokens({ '<s>': 0, '</s>': 2 }),
    },
  },
};

let folder: string;
const open: TokenizerThread[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-pairs-'));
  await makeBertModel(join(folder, 'bert'));
  await makeXlmRobertaModel(join(folder, 'xlmr'));
});
afterAll(async () => {
  for (const tokenizer of open) await tokenizer.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(
  name: string,
  driver: DriverName,
): Promise<{ tokenizer: TokenizerThread; library: HuggingFaceTokenizer }> {
  const { family, processor } = POST_PROCESSORS[name]!;
  const json = async (file: string) => JSON.parse(await readFile(join(folder, family, file), 'utf8')) as object;
  const config = await json('tokenizer_config.json');
  const definition = { ...(await json('tokenizer.json')), post_processor: processor };
  const files: TokenizerFiles = { tokenizer: definition, config };
  const tokenizer = await TokenizerThread.start(files, driver);
  open.push(tokenizer);
  return { tokenizer, library: new HuggingFaceTokenizer(definition, config) };
}

const TEXTS = [
  'the quick brown fox',
  'a',
  'a a a',
  'Ünïcödé, 你好!',
  'emoji 😀 here',
  'x = y[3]; // code',
  '  spaces  ',
];
const PAIRS = TEXTS.flatMap((text) => TEXTS.map((pair): ModelTexts => [text, pair]));

const CASES = DRIVER_NAMES.flatMap((driver) => Object.keys(POST_PROCESSORS).map((name) => [name, driver] as const));

describe.each(CASES)('pairs of %s, with the %s library', (name, driver) => {
  it('have the ids and segments that the library gives', async () => {
    const { tokenizer, library } = await start(name, driver);
    const encoded = await encodeAll(tokenizer, PAIRS, DEFAULT);
    for (const [n, [text, pair]] of PAIRS.entries()) {
      const expected = library.encode(text, { text_pair: pair!, return_token_type_ids: true });
      expect([...encoded[n]!.ids]).toEqual(expected.ids);
      expect([...encoded[n]!.types!]).toEqual(expected.token_type_ids);
      expect(encoded[n]).toMatchObject({ length: expected.ids.length, truncated: false });
    }
  });

  it('lose tokens of the second text only, on the side asked for', async () => {
    const { tokenizer, library } = await start(name, driver);
    const [text, pair] = ['the quick fox', 'jumps over the lazy brown dog and text'] as const;
    const [whole] = await encodeAll(tokenizer, [[text, pair]], DEFAULT);
    const second = library.encode(pair, { add_special_tokens: false }).ids;
    const head = whole!.ids.length - second.length - 1;
    for (const [truncate, kept] of [
      ['end', second.slice(0, 5)],
      ['start', second.slice(-5)],
      ['middle', [...second.slice(0, 3), ...second.slice(-2)]],
    ] as const) {
      const maxTokens = head + 5 + 1;
      const [cut] = await encodeAll(tokenizer, [[text, pair]], { prompt: '', truncate, maxTokens });
      expect([...cut!.ids]).toEqual([...whole!.ids.slice(0, head), ...kept, whole!.ids.at(-1)]);
      expect([...cut!.types!]).toEqual([...whole!.types!.slice(0, head + 5), whole!.types!.at(-1)]);
      expect(cut).toMatchObject({ length: whole!.ids.length, truncated: true });
    }
  });

  it('are refused when the first text leaves the second no room', async () => {
    const { tokenizer, library } = await start(name, driver);
    const text = 'the quick brown fox';
    const { length } = library.encode(text, { text_pair: 'a' }).ids;
    const bare = library.encode('a', { add_special_tokens: false }).ids.length;
    const least = length - bare + 1;
    const [tight] = await encodeAll(tokenizer, [[text, 'a a a']], { ...DEFAULT, maxTokens: least });
    expect(tight!.ids).toHaveLength(least);
    const noRoom = {
      message: expect.stringMatching(/^the first text of the pair has \d+ tokens, .* no room$/) as string,
    };
    expect(await tokenizer.encode([[text, 'a a a']], { ...DEFAULT, maxTokens: least - 1 })).toMatchObject([noRoom]);
    const [long] = await tokenizer.encode([['fox '.repeat(2000), 'a']], DEFAULT);
    expect(long).toMatchObject({ message: expect.stringMatching(/has more than 64 tokens, .* no room$/) as string });
  });

  it('have the prompt before the first text', async () => {
    const { tokenizer } = await start(name, driver);
    const [prompted] = await encodeAll(tokenizer, [['the fox', 'a dog']], { ...DEFAULT, prompt: 'query ' });
    const [whole] = await encodeAll(tokenizer, [['query the fox', 'a dog']], DEFAULT);
    expect(prompted).toEqual(whole);
  });
});

it.each(DRIVER_NAMES)('pairs and single texts go together, each with its own: %s', async (driver) => {
  const { tokenizer } = await start('BERT by template', driver);
  const inputs: ModelTexts[] = [['the fox'], ['the fox', 'a dog'], ['a'], ['a', '']];
  const together = await encodeAll(tokenizer, inputs, DEFAULT);
  const withTypes = await Promise.all(inputs.map(async (input) => (await encodeAll(tokenizer, [input], DEFAULT))[0]!));
  expect(together.map(({ ids }) => [...ids])).toEqual(withTypes.map(({ ids }) => [...ids]));
  expect(together.map(({ types }) => (types === null ? null : [...types]))).toEqual([
    Array.from(together[0]!.ids, () => 0),
    [0, 0, 0, 0, 1, 1, 1],
    [0, 0, 0],
    [0, 0, 0, 1],
  ]);
});
