import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The texts of this test: text `n` follows from `n` by integer arithmetic, as in `text_rule.py`. */

type Script = readonly (readonly [first: number, size: number])[];

const PIECES = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../test/token-ids/pieces.json', import.meta.url)), 'utf8'),
) as { scripts: Record<string, string[]>; words: string[]; gaps: string[] };

const SCRIPTS = Object.values(PIECES.scripts).map((ranges): Script =>
  ranges.map((range) => {
    const [first, last] = range.split('-').map((hex) => parseInt(hex, 16)) as [number, number];
    return [first, last - first + 1];
  }),
);
const MARKS = SCRIPTS[Object.keys(PIECES.scripts).indexOf('marks')]!;
const WORDS = PIECES.words.map((line) => line.split(' '));
const GAPS = PIECES.gaps;
/** Words in a text; every 200th text has 1,000 more. */
const LENGTHS = [1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 11, 15];

/** Integers of 32 bits that follow from a seed. */
class Numbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) % limit;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

function character(numbers: Numbers, script: Script): string {
  let at = numbers.below(script.reduce((sum, [, size]) => sum + size, 0));
  for (const [first, size] of script) {
    if (at < size) return String.fromCodePoint(first + at);
    at -= size;
  }
  throw new Error('beyond the script');
}

export function textByRule(n: number): string {
  const numbers = new Numbers(Math.imul(n, 0x632be5ab) >>> 0);
  // The order of the draws is that of Python: how many scripts, then each of them.
  const scripts = Array.from({ length: 1 + numbers.below(3) }, () => numbers.of(SCRIPTS));
  const words = numbers.of(LENGTHS) + (n % 200 === 199 ? 1000 : 0);
  const parts = numbers.below(4) === 0 ? [numbers.of(GAPS)] : [];
  for (let word = 0; word < words; word++) {
    if (numbers.below(2) === 0) {
      parts.push(numbers.of(numbers.of(WORDS)));
    } else {
      const script = numbers.of(scripts);
      for (let left = 1 + numbers.below(8); left > 0; left--) {
        parts.push(character(numbers, script));
        if (numbers.below(16) === 0) parts.push(character(numbers, MARKS));
      }
    }
    if (word < words - 1 || n % 2 === 0) parts.push(numbers.below(3) === 0 ? numbers.of(GAPS) : ' ');
  }
  return parts.join('');
}
