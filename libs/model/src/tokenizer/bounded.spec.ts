import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { TruncationSide } from '#contracts';
import { boundariesOf, isBoundary, startOfRest } from './boundaries.js';
import type { TokenizerDefinition } from './definition.js';
import { wrongInJavascript } from './drivers/choose-driver.js';
import { DRIVER_NAMES, type DriverName, type TokenizerDriver } from './drivers/driver.js';
import { JavascriptDriver } from './drivers/javascript-driver.js';
import { NativeDriver } from './drivers/native-driver.js';
import { KINDS as SMALL_KINDS } from './kinds.fixture.js';
import { ModelTextEncoder } from './text-encoder.js';
import { PromptTooLongError } from './tokenizer.js';

const DATA = fileURLToPath(new URL('../../../../../test/token-ids/data/', import.meta.url));

const TRAINED = 'trained: ';

/** Tokenizers of every kind in use: small ones, and those whose ids are compared with Python's. */
const KINDS: Readonly<Record<string, TokenizerDefinition>> = {
  ...SMALL_KINDS,
  ...Object.fromEntries(
    readdirSync(DATA)
      .filter((file) => file.endsWith('.json.gz'))
      .map((file) => {
        const json = gunzipSync(readFileSync(`${DATA}${file}`)).toString('utf8');
        return [`${TRAINED}${file.replace('.json.gz', '')}`, JSON.parse(json) as TokenizerDefinition];
      }),
  ),
};

function load(name: DriverName, definition: TokenizerDefinition): Promise<TokenizerDriver> {
  return name === 'native' ? NativeDriver.load(definition) : Promise.resolve(new JavascriptDriver(definition, {}));
}

/** What cuts could break: words, runs of white space, marks, characters of several units, added tokens. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,8}$/) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('the', 'fox', 'quick', 'thing', "it's", 'ABC', '12', '1234567', 'x', 'İ', 'ΑΣ'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('你好', '世界', '中文，你', '好。', '！', 'カタ', 'カ゚', '한글', 'да', 'é', 'e\u0301'),
  },
  { weight: 10, arbitrary: fc.constantFrom(' ', ' ', ' ', ' ', '  ', '\n', '\t', '\u3000', '\r\n', ' \n ', '\u00a0') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('.', ', ', '?!', '...', '-', '_', '▁', "'", '"', '\u200d', '\u0301', ' \u0301', '😀'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[MASK]', '<mask>', '</s>', '[SEP]', 'ำ', '𠀀', '\u0000', 'ŉ', 'Ŀ', 'ﬁ', '①'),
  },
);
const text = fc.array(piece, { maxLength: 300, size: 'max' }).map((pieces) => pieces.join(''));
const side = fc.constantFrom<TruncationSide>('start', 'end', 'middle');
const prompt = fc.constantFrom('', 'query: ', '你好，', 'the', 'passage:\n');

/** Some prompts are longer than the smallest limits. @returns null for these */
function promptTooLong(error: unknown): null {
  if (error instanceof PromptTooLongError) return null;
  throw error;
}

const CASES = DRIVER_NAMES.flatMap((driver) => Object.keys(KINDS).map((kind) => [kind, driver] as const)).filter(
  ([kind, driver]) => driver === 'native' || runsInJavascript(kind),
);

function runsInJavascript(kind: string): boolean {
  // The JavaScript library does not know the normalizer Nmt.
  if (Object.hasOwn(SMALL_KINDS, kind)) return !kind.includes('Nmt');
  return wrongInJavascript({ tokenizer: KINDS[kind], config: {} }) === null;
}

describe.each(CASES)('%s, by the %s library', (kind, name) => {
  const definition = KINDS[kind]!;
  const boundaries = boundariesOf(definition);
  // Fewer texts for the large ones, whose parts are those of the small ones.
  const share = kind.startsWith(TRAINED) ? 0.3 : 1;

  it('has the ids of the whole text in both parts of a cut', async () => {
    const driver = await load(name, definition);
    let cuts = 0;
    const property = fc.asyncProperty(text, async (text) => {
      const places = Array.from({ length: text.length }, (_, at) => at).filter((at) =>
        isBoundary(boundaries!, text, at),
      );
      const parts = places.flatMap((at) => [text.slice(0, at), text.slice(startOfRest(boundaries!, text, at))]);
      const [whole, ...ids] = (await driver.tokens([text, ...parts], false)).map((tokens) => {
        if (tokens instanceof Error) throw tokens;
        return tokens.ids;
      });
      for (const [n, at] of places.entries()) {
        expect([at, ...ids[2 * n]!, ...ids[2 * n + 1]!]).toEqual([at, ...whole!]);
        cuts++;
      }
    });
    await fc.assert(property, { numRuns: 50 * share });
    // Usually ten times as many; the texts are random.
    expect(cuts).toBeGreaterThan(10 * share);
  });

  it('has the ids and offsets of the whole text, whatever is cut off before it is tokenised', async () => {
    expect(boundaries).not.toBeNull();
    const driver = await load(name, definition);
    const bounded = await ModelTextEncoder.create(driver, boundaries, { firstChars: 24 });
    const whole = await ModelTextEncoder.create(driver, null, { wholeBytes: Infinity });
    let cut = 0;
    const property = fc.asyncProperty(
      text,
      side,
      prompt,
      fc.integer({ min: 2, max: 12 }),
      fc.boolean(),
      async (...is) => {
        const [text, truncate, prompt, maxTokens, paired] = is;
        const offsets = name === 'native';
        const options = { truncate, prompt, offsets, maxTokens: paired ? maxTokens + 40 : maxTokens };
        const input = paired ? (['a b', text] as const) : ([text] as const);
        const [one, expected] = await Promise.all(
          [bounded, whole].map((encoder) => encoder.encode(input, options).catch(promptTooLong)),
        );
        expect(one === null).toBe(expected === null);
        if (!one || !expected) return;
        expect([...one.ids]).toEqual([...expected.ids]);
        expect(one.types).toEqual(expected.types);
        expect(one.offsets).toEqual(expected.offsets);
        expect(one.truncated).toBe(expected.truncated);
        if (one.lengthIsLowerBound !== true) expect(one.length).toBe(expected.length);
        else {
          cut++;
          expect(one.length).toBeLessThanOrEqual(expected.length);
        }
      },
    );
    await fc.assert(property, { numRuns: 200 * share });
    expect(cut).toBeGreaterThan(2 * share);
  });
});

const GPT2 = KINDS['byte-level BPE of GPT-2']!;
const UNIGRAM = KINDS['Unigram, NFKC, Metaspace']!;
const GEMMA = KINDS['BPE of Gemma']!;

it.each<[string, TokenizerDefinition]>([
  ['words that reach over spaces', { ...UNIGRAM, pre_tokenizer: { ...UNIGRAM.pre_tokenizer!, split: false } }],
  [
    'an unknown pattern',
    { ...GPT2, pre_tokenizer: { type: 'Split', pattern: { Regex: '\\w+ \\w+' }, behavior: 'Isolated' } },
  ],
  ['an unknown pre-tokenizer', { ...GPT2, pre_tokenizer: { type: 'UnicodeScripts' } }],
  ['an unknown normalizer', { ...GPT2, normalizer: { type: 'ByteLevel' } }],
  ['replaced letters', { ...GPT2, normalizer: { type: 'Replace', pattern: { String: 'b' }, content: ' ' } }],
  ['an added token of two words', { ...GPT2, added_tokens: [{ content: 'New York' }] }],
  ['an added token that takes white space after it', { ...GPT2, added_tokens: [{ content: 'New', rstrip: true }] }],
  ['tokens that reach over spaces', { ...GEMMA, model: { ...GEMMA.model, vocab: { '▁': 0, 'of▁the': 1 } } }],
  ['merges by chance', { ...GEMMA, model: { ...GEMMA.model, dropout: 0.1 } }],
])('a tokenizer with %s is never cut', (_, definition) => {
  expect(boundariesOf(definition)).toBeNull();
});
