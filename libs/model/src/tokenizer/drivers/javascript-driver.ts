import { Tokenizer } from '@huggingface/tokenizers';
import { type Part, partsOf, type TokenizerDefinition } from '../definition.js';
import type { Tokens } from '../tokens.js';
import type { Framed, TokenizerDriver } from './driver.js';

/** The library of transformers.js, for platforms without a build of the native one. */
export class JavascriptDriver implements TokenizerDriver {
  /** Its time grows faster than a text's length. */
  readonly wholeBytes = 32 * 1024;
  readonly #tokenizer: Tokenizer;

  /** @throws Error when the library does not know the tokenizer */
  constructor(definition: TokenizerDefinition, config: unknown) {
    this.#tokenizer = new Tokenizer(withPattern(definition), config ?? {});
  }

  tokens(texts: readonly string[], ranges: boolean): Promise<(Tokens | Error)[]> {
    const reason = new Error(
      'the JavaScript library does not say where in a text a token comes from: offsets need the library "tokenizers", ' +
        'which does not run on this platform',
    );
    return Promise.resolve(texts.map((text) => (ranges ? reason : this.#tokensOrReason(text))));
  }

  framed(text: string, pair?: string): Promise<Framed> {
    const options = { text_pair: pair ?? null, return_token_type_ids: true as const };
    const { ids, token_type_ids: types } = this.#tokenizer.encode(text, options);
    return Promise.resolve({ ids, types });
  }

  #tokensOrReason(text: string): Tokens | Error {
    try {
      const { ids }: { ids: readonly number[] } = this.#tokenizer.encode(text, { add_special_tokens: false });
      // For a character that has no token, the library gives a token without an id.
      return ids.every((id) => Number.isInteger(id))
        ? { ids, ranges: null }
        : new Error('the vocabulary has no token for an unknown word');
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Spells out the pattern that is built into `ByteLevel`: in its own, the library has another notion of white space. */
function withPattern(definition: TokenizerDefinition): TokenizerDefinition {
  const parts = partsOf(definition.pre_tokenizer);
  if (!parts.some(isBuiltIn)) return definition;
  const split = { type: 'Split', pattern: { Regex: GPT2 }, behavior: 'Isolated', invert: false };
  const pretokenizers = parts.flatMap((part) => (isBuiltIn(part) ? [split, { ...part, use_regex: false }] : [part]));
  return { ...definition, pre_tokenizer: { type: 'Sequence', pretokenizers } };
}

/** A prefix space would have to be added before the text is split. */
function isBuiltIn({ type, use_regex: pattern, add_prefix_space: prefix }: Part): boolean {
  return type === 'ByteLevel' && pattern !== false && prefix === false;
}
