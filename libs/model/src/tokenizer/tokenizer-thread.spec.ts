import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { ModelTexts } from '#contracts';
import { makeBertModel, makeXlmRobertaModel } from '../../../../test/support/random-model.js';
import type { TokenizerFiles } from '../types.js';
import { DRIVER_NAMES, type DriverName } from './drivers/driver.js';
import { encodeAll } from './encode-all.fixture.js';
import { mostTokens } from './most-tokens.js';
import { PromptTooLongError, TextTooComplexError } from './tokenizer.js';
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

async function start(name: string, driver: DriverName): Promise<TokenizerThread> {
  const tokenizer = await TokenizerThread.start(await files(name), driver);
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

describe.each(DRIVER_NAMES)('a tokenizer with the %s library', (driver) => {
  it.each(['bert', 'xlmr'])('gives the ids that the library gives, special tokens and all: %s', async (name) => {
    const { tokenizer, config } = await files(name);
    const library = new HuggingFaceTokenizer(tokenizer, config);
    const encoded = await encodeAll(
      await start(name, driver),
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
    const tokenizer = await start(name, driver);
    const text = 'the quick brown fox jumps over the lazy dog';
    const [whole] = await encodeAll(tokenizer, [[text]], DEFAULT);
    const inner = [...whole!.ids.slice(1, -1)];
    const cut = async (truncate: 'end' | 'start' | 'middle') => {
      const [one] = await encodeAll(tokenizer, [[text]], { prompt: '', truncate, maxTokens: 7 });
      expect(one).toMatchObject({ truncated: true, length: whole!.length });
      expect([one!.ids[0], one!.ids.at(-1), one!.ids.length]).toEqual([first, last, 7]);
      return [...one!.ids.slice(1, -1)];
    };
    expect(await cut('end')).toEqual(inner.slice(0, 5));
    expect(await cut('start')).toEqual(inner.slice(-5));
    expect(await cut('middle')).toEqual([...inner.slice(0, 3), ...inner.slice(-2)]);
  });

  it('keeps the prompt whatever is cut off', async () => {
    const tokenizer = await start('bert', driver);
    const [prompt] = await encodeAll(tokenizer, [['query: ']], DEFAULT);
    const head = prompt!.ids.slice(0, -1);
    for (const truncate of ['end', 'start', 'middle'] as const) {
      const [one] = await encodeAll(tokenizer, [['fox '.repeat(50)]], { prompt: 'query: ', truncate, maxTokens: 20 });
      expect(one!.ids).toHaveLength(20);
      expect(one!.ids.slice(0, head.length)).toEqual(head);
      expect(one!.length).toBe(50 + prompt!.length);
    }
  });

  it('refuses every text behind a prompt that leaves no room', async () => {
    const tokenizer = await start('bert', driver);
    const prompt = 'fox '.repeat(6);
    const [alone] = await encodeAll(tokenizer, [[prompt]], DEFAULT);
    const least = alone!.length + 1;
    for (const truncate of ['end', 'start', 'middle'] as const) {
      const [one] = await encodeAll(tokenizer, [['the dog']], { prompt, truncate, maxTokens: least });
      expect([one!.ids.length, one!.ids.at(-1)]).toEqual([least, alone!.ids.at(-1)]);
      for (const maxTokens of [least - 1, 3]) {
        const refused = await tokenizer.encode([['the dog'], ['a'], ['a', 'b']], { prompt, truncate, maxTokens });
        for (const error of refused) {
          expect(error).toBeInstanceOf(PromptTooLongError);
          expect(error).toMatchObject({
            code: 'prompt_too_long',
            message: `its prompt has 8 tokens with the special tokens, which leaves a text no room: the model takes ${maxTokens}`,
          });
        }
      }
    }
  });

  it('makes no more tokens of a text than its bytes allow', async () => {
    const texts = ['fox', 'the quick brown fox', '你好，世界', '\ufdfa\ufdfa', 'İİ', '한글', '😀', '①ﬁŉ', '....'];
    for (const family of ['bert', 'xlmr'] as const) {
      const encoded = await encodeAll(
        await start(family, driver),
        texts.map((text) => [text] as const),
        DEFAULT,
      );
      for (const [n, { length }] of encoded.entries()) expect(length).toBeLessThanOrEqual(mostTokens(texts[n]!));
    }
  });

  it('takes lone surrogates and a megabyte of text', async () => {
    const tokenizer = await start('bert', driver);
    const [odd] = await encodeAll(tokenizer, [['a \ud800 b']], DEFAULT);
    expect(odd!.ids.length).toBeGreaterThan(2);
    for (const unit of ['fox jumps ', '你']) {
      const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
      const [one] = await encodeAll(tokenizer, [[text]], { ...DEFAULT, maxTokens: 64 });
      expect(one!.ids).toHaveLength(64);
      expect(one).toMatchObject({ truncated: true, lengthIsLowerBound: true });
      expect(one!.length).toBeGreaterThan(64);
    }
  });

  it('refuses a long text that cannot be cut, alone', async () => {
    const tokenizer = await start('bert', driver);
    for (const truncate of ['start', 'end', 'middle'] as const) {
      const [before, long, after] = await tokenizer.encode([['the fox'], ['x'.repeat(1_000_000)], ['a dog']], {
        ...DEFAULT,
        truncate,
      });
      expect(long).toBeInstanceOf(TextTooComplexError);
      expect([before, after]).toMatchObject([{ length: 4 }, { length: 4 }]);
    }
    // As long, but the tokens that are kept are in its part that can be cut.
    const text = `${'fox '.repeat(1000)}${'x'.repeat(1_000_000)}`;
    const [fromStart, fromEnd] = [
      await tokenizer.encode([[text]], { ...DEFAULT, truncate: 'start' }),
      await tokenizer.encode([[text]], DEFAULT),
    ];
    expect(fromStart[0]).toBeInstanceOf(TextTooComplexError);
    expect(fromEnd).toMatchObject([{ truncated: true }]);
  });

  it('says of each text why it cannot be encoded, and encodes the others', async () => {
    const { tokenizer: whole, config } = await files('bert');
    const definition = whole as { model: { vocab: Record<string, number> } };
    const { '[UNK]': _, ...vocab } = definition.model.vocab;
    const tokenizer = await TokenizerThread.start(
      {
        tokenizer: { ...definition, added_tokens: [], post_processor: null, model: { ...definition.model, vocab } },
        config,
      },
      driver,
    );
    open.push(tokenizer);
    const encoded = await tokenizer.encode([['the fox'], ['ж'], ['a dog']], DEFAULT);
    // The JavaScript library gives an unknown token without an id, which the port refuses too.
    expect(encoded.map((one) => one instanceof Error)).toEqual([false, true, false]);
  });

  it('answers queries before the rest of a bulk call', async () => {
    const tokenizer = await start('bert', driver);
    const order: string[] = [];
    const texts = Array.from({ length: 2000 }, (_, n): ModelTexts => [
      `the fox number ${n} ${'quick brown '.repeat(20)}`,
    ]);
    await Promise.all([
      tokenizer.encode(texts, DEFAULT).then(() => order.push('bulk')),
      tokenizer.encode([['a query']], { ...DEFAULT, lane: 'interactive' }).then(() => order.push('query')),
    ]);
    expect(order).toEqual(['query', 'bulk']);
  });

  it('is closed in the middle of its work', async () => {
    const tokenizer = await TokenizerThread.start(await files('bert'), driver);
    const texts = Array.from({ length: 2000 }, (): ModelTexts => ['the fox '.repeat(50)]);
    const call = tokenizer.encode(texts, DEFAULT);
    await tokenizer.close();
    await expect(call).rejects.toThrow(/broke off/);
    await expect(tokenizer.encode([['a']], DEFAULT)).rejects.toThrow(/closed/);
  });

  it('answers many calls at once, each with its own', async () => {
    const tokenizer = await start('bert', driver);
    const calls = Array.from({ length: 50 }, (_, n) =>
      Array.from({ length: n % 5 }, (_, i): ModelTexts => ['fox '.repeat(1 + ((n + i) % 7))]),
    );
    const results = await Promise.all(calls.map((inputs) => encodeAll(tokenizer, inputs, DEFAULT)));
    results.forEach((encoded, n) => {
      expect(encoded.map(({ ids }) => ids.length)).toEqual(
        calls[n]!.map(([text]) => 2 + text.trim().split(' ').length),
      );
    });
  });
});

it('says why a tokenizer cannot be used', async () => {
  await expect(TokenizerThread.start({ tokenizer: { model: { type: 'Nonsense' } }, config: {} })).rejects.toThrow(
    /the tokenizer cannot be used: /,
  );
});
