import { randomBytes } from 'node:crypto';
import { readGlosses } from '../demo/wordnet.js';

/** An endless supply of dictionary entries that no cache holds: each ends with a mark of this run and a number. */
export class UnseenTexts {
  readonly #meanings: readonly string[];
  readonly #mark = randomBytes(3).toString('hex');
  #given = 0;

  private constructor(meanings: readonly string[]) {
    this.#meanings = meanings;
  }

  /** @param distinct number of dictionary entries to use; after that they repeat, with other numbers */
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
