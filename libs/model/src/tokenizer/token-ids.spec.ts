import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { ModelTexts } from '#contracts';
import { textByRule } from '../../../../test/token-ids/text-rule.js';
import type { TokenizerFiles } from '../types.js';
import { wrongInJavascript } from './drivers/choose-driver.js';
import type { DriverName } from './drivers/driver.js';
import { TokenizerThread } from './tokenizer-thread.js';

const DATA = fileURLToPath(new URL('../../../../../test/token-ids/data/', import.meta.url));
const KINDS = readdirSync(DATA)
  .filter((file) => file.endsWith('.ids'))
  .map((file) => file.replace('.ids', ''))
  .sort();
/** Bytes of a hash. */
const HASH = 8;
/** As in `make.py`. */
const LIMIT = 256;

function filesOf(kind: string): TokenizerFiles {
  return { tokenizer: JSON.parse(gunzipSync(readFileSync(`${DATA}${kind}.json.gz`)).toString('utf8')), config: {} };
}

/** Hashes of the ids that the library gives in Python, one after the other. */
function hashesOf(kind: string): Buffer {
  return readFileSync(`${DATA}${kind}.ids`);
}

const COUNT = hashesOf(KINDS[0]!).length / HASH;
const TEXTS = Array.from({ length: COUNT }, (_, n) => textByRule(n));

/** Those of the texts `chosen` (indexes) to which a library gives other ids than in Python. */
async function differing(kind: string, driver: DriverName, chosen: readonly number[]): Promise<number[]> {
  const tokenizer = await TokenizerThread.start(filesOf(kind), driver);
  try {
    const inputs = chosen.map((n): ModelTexts => [TEXTS[n]!]);
    const encoded = await tokenizer.encode(inputs, { prompt: '', truncate: 'end', maxTokens: LIMIT });
    const hashes = hashesOf(kind);
    return chosen.filter((n, place) => {
      const one = encoded[place]!;
      if (one instanceof Error) return true;
      const hash = createHash('sha256').update(one.ids).digest().subarray(0, HASH);
      return !hash.equals(hashes.subarray(HASH * n, HASH * (n + 1)));
    });
  } finally {
    await tokenizer.close();
  }
}

/** Texts that show it, where few do: they have combining marks of newer versions of Unicode. */
const DIFFERENT: Readonly<Record<string, readonly number[]>> = {
  modernbert: [45, 133, 199],
  qwen: [45, 133, 199],
};

const ALL = TEXTS.map((_, n) => n);

it('has more than 20,000 different texts, some of which are too long to be tokenised as a whole', () => {
  expect(new Set(TEXTS).size).toBeGreaterThan(20_000);
  expect(TEXTS.filter((text) => text.length > 4096).length).toBeGreaterThan(50);
});

it.each(KINDS)('%s: ids are those of the library in Python, of every text', async (kind) => {
  expect(hashesOf(kind)).toHaveLength(HASH * COUNT);
  expect(await differing(kind, 'native', ALL)).toEqual([]);
});

it.each(KINDS)('%s: offsets are those of the library in Python', async (kind) => {
  const hashes = readFileSync(`${DATA}${kind}.offsets`);
  const inputs = TEXTS.slice(0, hashes.length / HASH).map((text): ModelTexts => [text]);
  expect(inputs.length).toBeGreaterThanOrEqual(400);
  const tokenizer = await TokenizerThread.start(filesOf(kind), 'native');
  const options = { prompt: '', truncate: 'end', maxTokens: LIMIT, offsets: true } as const;
  const encoded = await tokenizer.encode(inputs, options);
  await tokenizer.close();
  const differ = encoded.flatMap((one, n) => {
    if (one instanceof Error) return [n];
    const hash = createHash('sha256').update(one.offsets!).digest().subarray(0, HASH);
    return hash.equals(hashes.subarray(HASH * n, HASH * (n + 1))) ? [] : [n];
  });
  expect(differ).toEqual([]);
});

const EXACT = KINDS.filter((kind) => wrongInJavascript(filesOf(kind)) === null);

describe('by the JavaScript library, which takes the place of the native one', () => {
  it('some kinds are refused', () => {
    expect(EXACT).toEqual(['gemma', 'llama-2', 'llama-3']);
  });

  it.each(EXACT)('%s is exact, so it is served', async (kind) => {
    // All texts were compared once; a quarter takes seconds.
    expect(
      await differing(
        kind,
        'javascript',
        ALL.filter((n) => n % 4 === 0),
      ),
    ).toEqual([]);
  });

  it('roberta differs in white space before <mask>, so it is refused', async () => {
    const ids = await Promise.all(
      (['native', 'javascript'] as const).map(async (driver) => {
        const tokenizer = await TokenizerThread.start(filesOf('roberta'), driver);
        const encoded = await tokenizer.encode([['a\u0085<mask>']], { prompt: '', truncate: 'end', maxTokens: LIMIT });
        await tokenizer.close();
        return encoded;
      }),
    );
    expect(ids[0]).not.toEqual(ids[1]);
  });

  it.each(KINDS.filter((kind) => kind !== 'roberta' && !EXACT.includes(kind)))(
    '%s differs, so it is refused',
    async (kind) => {
      const differ = DIFFERENT[kind] ?? ALL.slice(0, 100);
      expect(await differing(kind, 'javascript', differ)).not.toEqual([]);
    },
  );
});
