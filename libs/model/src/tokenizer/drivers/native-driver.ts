import type { TokenizerDefinition } from '../definition.js';
import type { Range, Tokens } from '../tokens.js';
import type { Framed, TokenizerDriver } from './driver.js';

/** What is used of Hugging Face's library. Its work is done in threads of its own, a batch on all cores. */
interface NativeTokenizer {
  encode(text: string, pair?: string | null, options?: { addSpecialTokens: boolean }): Promise<NativeEncoding>;
  encodeBatch(texts: string[], options: { addSpecialTokens: boolean }): Promise<NativeEncoding[]>;
}

interface NativeEncoding {
  getIds(): number[];
  getTypeIds(): number[];
  /** `[tokens, 2]`: start and end in the text as it was given, code points. */
  getOffsets(): number[][];
}

const BARE = { addSpecialTokens: false };

/** Loads the library. @throws Error when there is no build of it for this platform */
export async function loadNative(): Promise<{ fromString(definition: string): NativeTokenizer }> {
  const { Tokenizer } = await import('tokenizers');
  return Tokenizer;
}

/** Hugging Face's own library. */
export class NativeDriver implements TokenizerDriver {
  readonly wholeBytes = 256 * 1024;
  readonly #tokenizer: NativeTokenizer;

  private constructor(tokenizer: NativeTokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** @throws Error when the library does not know the tokenizer */
  static async load(definition: TokenizerDefinition): Promise<NativeDriver> {
    const library = await loadNative();
    return new NativeDriver(library.fromString(JSON.stringify(definition)));
  }

  async tokens(texts: readonly string[], ranges: boolean): Promise<(Tokens | Error)[]> {
    try {
      const encodings = await this.#tokenizer.encodeBatch([...texts], BARE);
      return encodings.map((encoding, n) => tokensOf(encoding, texts[n]!, ranges));
    } catch {
      // The library refuses a batch for one of its texts.
      return Promise.all(texts.map((text) => this.#tokensOrReason(text, ranges)));
    }
  }

  async framed(text: string, pair?: string): Promise<Framed> {
    const encoding = await this.#tokenizer.encode(text, pair ?? null, { addSpecialTokens: true });
    return { ids: encoding.getIds(), types: encoding.getTypeIds() };
  }

  async #tokensOrReason(text: string, ranges: boolean): Promise<Tokens | Error> {
    try {
      return tokensOf(await this.#tokenizer.encode(text, null, BARE), text, ranges);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

function tokensOf(encoding: NativeEncoding, text: string, ranges: boolean): Tokens {
  return { ids: encoding.getIds(), ranges: ranges ? inUnits(encoding.getOffsets(), text) : null };
}

/** Of ranges in code points, the ranges in UTF-16 code units, of which characters beyond 16 bits have two. */
function inUnits(offsets: readonly (readonly number[])[], text: string): readonly Range[] {
  const starts: number[] = [];
  let length = 0;
  for (const character of text) {
    starts.push(length);
    length += character.length;
  }
  starts.push(length);
  return offsets.map(([start, end]): Range => [starts[start!]!, starts[end!]!]);
}
