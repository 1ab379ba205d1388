import { randomBytes } from 'node:crypto';
import { readGlosses } from '../demo/wordnet.js';

/** Dictionary entries without end that no cache has seen: each ends in a mark of this run and its number. */
export class UnseenTexts {
  readonly #meanings: readonly string[];
  readonly #mark = randomBytes(3).toString('hex');
  #given = 0;

  private constructor(meanings: readonly string[]) {
    this.#meanings = meanings;
  }

  /** @param distinct how many entries of the dictionary to use before they come again, under other numbers */
  static async read(distinct: number): Promise<UnseenTexts> {
    return new UnseenTexts((await readGlosses(distinct)).map(({ meaning }) => meaning));
  }

  take(count: number): string[] {
    return Array.from({ length: count }, () => {
      const number = this.#given++;
      return `${this.#meanings[number % this.#meanings.length]} (${this.#mark} ${number})`;
    });
  }
}
