import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readGlosses } from '../../apps/cli/src/demo/wordnet.js';

const PACKAGES = fileURLToPath(new URL('../../../node_modules/', import.meta.url));
const LONGEST_PARAGRAPH = 2000;
/** Minimum characters of a long text: more tokens than the default model's limit. */
const LONG = 2000;
const DISTINCT_DUPLICATES = 10_000;

export type CorpusName = 'short' | 'mixed' | 'long' | 'duplicates';

/**
 * Real texts from npm packages, the same in every run with the same lock file.
 * - `short`: dictionary glosses (WordNet 3.1)
 * - `mixed`: paragraphs of the README files of installed packages, 1 to 2,000 characters
 * - `long`: such paragraphs, joined until they exceed the model's token limit
 * - `duplicates`: 10,000 glosses, repeated by Zipf's law (the r-th most frequent has weight 1/r)
 * @throws when there are fewer than `count`
 */
export async function readCorpus(name: CorpusName, count: number): Promise<string[]> {
  const texts = await READERS[name](count);
  if (texts.length < count) throw new Error(`the corpus "${name}" has only ${texts.length} texts, not ${count}`);
  return texts.slice(0, count);
}

const READERS: Record<CorpusName, (count: number) => Promise<string[]>> = {
  short: (count) => glosses(count),
  mixed: async () => shuffled(await paragraphs()),
  long: async () => joined(shuffled(await paragraphs())),
  duplicates: async (count) => zipf(await glosses(DISTINCT_DUPLICATES), count),
};

/** An endless sequence of distinct texts, for loads larger than any corpus: glosses followed by a number. */
export function* numberedGlosses(base: readonly string[], first = 0): Generator<string> {
  for (let n = first; ; n++) yield `${base[n % base.length]} ${n}`;
}

async function glosses(count: number): Promise<string[]> {
  return shuffled((await readGlosses(count)).map(({ meaning }) => meaning));
}

async function paragraphs(): Promise<string[]> {
  const files = await readdir(PACKAGES, { recursive: true });
  const readmes = files.filter((file) => /(^|[/\\])readme[^/\\]*\.md$/i.test(file)).sort();
  const found = new Set<string>();
  for (const file of readmes) {
    for (const part of (await readFile(join(PACKAGES, file), 'utf8')).split(/\n\s*\n/)) {
      const text = part.trim();
      if (text.length > 0 && text.length <= LONGEST_PARAGRAPH) found.add(text);
    }
  }
  return [...found];
}

function joined(texts: readonly string[]): string[] {
  const long: string[] = [];
  let text = '';
  for (const part of texts) {
    text += `${part}\n`;
    if (text.length < LONG) continue;
    long.push(text);
    text = '';
  }
  return long;
}

function zipf(distinct: readonly string[], count: number): string[] {
  const sums: number[] = [];
  distinct.forEach((_, rank) => sums.push((sums[rank - 1] ?? 0) + 1 / (rank + 1)));
  const random = randomNumbers();
  return Array.from({ length: count }, () => {
    const point = random() * sums.at(-1)!;
    return distinct[sums.findIndex((sum) => sum >= point)]!;
  });
}

/** Fisher-Yates, the same order every time. */
function shuffled<T>(items: readonly T[]): T[] {
  const random = randomNumbers();
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other]!, all[last]!];
  }
  return all;
}

/** The same numbers in 0..1 every time, from a linear congruential generator (constants of Numerical Recipes). */
function randomNumbers(): () => number {
  let state = 20_261_123;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
