import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { ModelTexts, TruncationSide } from '#contracts';
import { encodeAll } from './encode-all.fixture.js';
import type { Encoded, EncodeOptions } from './tokenizer.js';
import { TokenizerThread } from './tokenizer-thread.js';

const DATA = fileURLToPath(new URL('../../../../../test/token-ids/data/', import.meta.url));
const ASKED: EncodeOptions = { prompt: '', truncate: 'end', maxTokens: 256, offsets: true };
/** Kinds that differ in how they take a text apart: what `fox 😀 jumps` is cut into. */
const KINDS = {
  'bert': { fox: 'fox', space: '' },
  'words': { fox: 'fox', space: '' },
  'xlm-roberta': { fox: 'fox', space: '' },
  'deberta': { fox: ' fox', space: ' ' },
  'qwen': { fox: ' fox', space: ' ' },
  'gemma': { fox: ' fox', space: ' ' },
  'llama-2': { fox: ' fox', space: ' ' },
} as const;

const files = (kind: string) => ({
  tokenizer: JSON.parse(gunzipSync(readFileSync(`${DATA}${kind}.json.gz`)).toString('utf8')) as unknown,
  config: {},
});

const pairsOf = ({ offsets }: Encoded) =>
  Array.from({ length: offsets!.length / 2 }, (_, n): [number, number] => [offsets![2 * n]!, offsets![2 * n + 1]!]);
/** What each token was made from; those of no text left out. */
const slices = (one: Encoded, text: string) =>
  pairsOf(one).flatMap(([start, end]) => (end === 0 ? [] : [text.slice(start, end)]));

describe.each(Object.entries(KINDS))('offsets of %s', (kind, { fox, space }) => {
  let tokenizer: TokenizerThread;
  beforeAll(async () => {
    tokenizer = await TokenizerThread.start(files(kind), 'native');
  });
  afterAll(() => tokenizer.close());
  const encode = async (input: ModelTexts, options: Partial<EncodeOptions> = {}) => {
    const [one] = await encodeAll(tokenizer, [input], { ...ASKED, ...options });
    expect(one!.offsets).toHaveLength(2 * one!.ids.length);
    return one!;
  };

  it('are places in the text as JavaScript counts them, and empty for special tokens', async () => {
    const text = 'the 😀 fox 𠀀 e\u0301 the fox';
    const one = await encode([text]);
    const parts = slices(one, text);
    expect(parts.filter((part) => part === fox)).toHaveLength(2);
    expect(parts.some((part) => part === '😀' || part === `${space}😀`)).toBe(true);
    // No token begins or ends within a character of two code units.
    expect(parts.every((part) => part !== '' && part.isWellFormed())).toBe(true);
    expect(pairsOf(one).some(([start, end]) => text.slice(start, end).trimStart().startsWith('e'))).toBe(true);
    expect(pairsOf(one).at(-1)).toEqual([0, 0]);
    const ordered = pairsOf(one).filter(([, end]) => end > 0);
    expect(ordered).toEqual(ordered.toSorted(([a], [b]) => a - b));
  });

  it('are those of the text without the prompt', async () => {
    const text = ' the 😀 fox';
    const alone = await encode([text]);
    const prompted = await encode([text], { prompt: 'fox 😀 𠀀:' });
    // The first word of a text may have the space before it in another token, or in none.
    const words = (one: Encoded) => slices(one, text).flatMap((part) => part.trim() || []);
    expect(words(prompted)).toEqual(words(alone));
    expect(prompted.ids.length).toBeGreaterThan(alone.ids.length);
    // A word that begins in the prompt and ends in the text.
    const joined = await encode(['x the'], { prompt: 'fo' });
    expect(slices(joined, 'x the').join('')).toContain('the');
    for (const [start, end] of pairsOf(joined)) expect(0 <= start && start <= end && end <= 5).toBe(true);
  });

  it('are cut as the ids are', async () => {
    const words = Array.from({ length: 40 }, (_, n) => (n % 3 === 0 ? '😀' : `the fox${n}`)).join(' ');
    const text = ` ${words}`;
    const whole = await encode([text], { prompt: 'the' });
    const places = pairsOf(whole);
    const first = places.findIndex(([, end]) => end > 0);
    const last = places.findLastIndex(([, end]) => end > 0);
    const inner = places.slice(first, last + 1);
    const maxTokens = first + 7 + (places.length - 1 - last);
    for (const [truncate, kept] of [
      ['end', inner.slice(0, 7)],
      ['start', inner.slice(-7)],
      ['middle', [...inner.slice(0, 4), ...inner.slice(-3)]],
    ] as const) {
      const one = await encode([text], { prompt: 'the', truncate, maxTokens });
      expect(pairsOf(one).slice(first, first + 7)).toEqual(kept);
      expect(one.truncated).toBe(true);
    }
  });

  it.each<TruncationSide>(['end', 'start', 'middle'])(
    'are places in the whole text of one that is not tokenised as a whole: %s',
    async (truncate) => {
      const text = `${'the 😀 quick fox '.repeat(4000)}lazy`;
      const one = await encode([text], { prompt: 'a: ', truncate, maxTokens: 60 });
      expect(one.lengthIsLowerBound).toBe(true);
      const parts = slices(one, text).map((part) => part.trim());
      expect(parts.filter((part) => part === 'fox').length).toBeGreaterThan(4);
      expect(parts.every((part) => part.isWellFormed())).toBe(true);
      const ends = pairsOf(one).map(([, end]) => end);
      expect(ends.includes(text.length)).toBe(truncate !== 'end');
      expect(ends.some((end) => 0 < end && end < 100)).toBe(truncate !== 'start');
    },
  );

  it('are of each text of a pair', async () => {
    const [text, pair] = ['the 😀 fox', 'lazy 𠀀 the fox'];
    const both = await encode([text, pair], { prompt: '😀: ' });
    const [one, two] = [await encode([text], { prompt: '😀: ' }), await encode([pair])];
    const real = (encoded: Encoded) => pairsOf(encoded).filter(([, end]) => end > 0);
    expect(real(both)).toEqual([...real(one), ...real(two)]);
  });

  it('are there only if asked for, also among calls at the same time', async () => {
    const { offsets: _, ...plain } = ASKED;
    const [with_, without] = await Promise.all([encode(['the fox']), encodeAll(tokenizer, [['the fox']], plain)]);
    expect(without[0]).not.toHaveProperty('offsets');
    expect(without[0]!.ids).toEqual(with_.ids);
  });
});

it('follows a post-processor that leaves white space out of offsets', async () => {
  const { tokenizer: definition } = files('roberta');
  const processor = { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0], trim_offsets: true };
  const trimmed = { ...(definition as object), post_processor: { ...processor, add_prefix_space: false } };
  const tokenizer = await TokenizerThread.start({ tokenizer: trimmed, config: {} }, 'native');
  const text = `😀 the fox ${'the fox '.repeat(3000)}`;
  const [one] = await encodeAll(tokenizer, [[text]], { ...ASKED, truncate: 'middle', maxTokens: 20 });
  expect(slices(one!, text).filter((part) => part.trim() === 'fox').length).toBeGreaterThan(4);
  expect(slices(one!, text)).not.toContain(' fox');
  await tokenizer.close();
});

it('are refused by the JavaScript library, which gives ids as ever', async () => {
  const tokenizer = await TokenizerThread.start(files('gemma'), 'javascript');
  const [refused] = await tokenizer.encode([['the fox']], ASKED);
  expect(refused).toMatchObject({ message: expect.stringMatching(/offsets need the library "tokenizers"/) as string });
  const { offsets: _, ...plain } = ASKED;
  expect((await encodeAll(tokenizer, [['the fox']], plain))[0]!.ids.length).toBeGreaterThan(1);
  await tokenizer.close();
});
