import type { TokenizerDefinition } from '../definition.js';
import type { Framed, TokenizerDriver } from './driver.js';

/** What is used of Hugging Face's library. Its work is done in threads of its own, a batch on all cores. */
interface NativeTokenizer {
  encode(text: string, pair?: string | null, options?: { addSpecialTokens: boolean }): Promise<NativeEncoding>;
  encodeBatch(texts: string[], options: { addSpecialTokens: boolean }): Promise<NativeEncoding[]>;
}

interface NativeEncoding {
  getIds(): number[];
  getTypeIds(): number[];
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

  async ids(texts: readonly string[]): Promise<(readonly number[] | Error)[]> {
    try {
      return (await this.#tokenizer.encodeBatch([...texts], BARE)).map((encoding) => encoding.getIds());
    } catch {
      // The library refuses a batch for one of its texts.
      return Promise.all(texts.map((text) => this.#idsOrReason(text)));
    }
  }

  async framed(text: string, pair?: string): Promise<Framed> {
    const encoding = await this.#tokenizer.encode(text, pair ?? null, { addSpecialTokens: true });
    return { ids: encoding.getIds(), types: encoding.getTypeIds() };
  }

  async #idsOrReason(text: string): Promise<readonly number[] | Error> {
    try {
      return (await this.#tokenizer.encode(text, null, BARE)).getIds();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
