import type { ModelTexts } from '#contracts';
import type { Encoded, EncodeOptions, Tokenizer } from '#model';

/** Characters per token, approximately as in English with a vocabulary of 30,000. */
const TOKEN_CHARS = 4;
/** One before and one after each text. */
const SPECIAL_TOKENS = 2;
const VOCABULARY = 30_000;

/**
 * Makes up ids, about as many as a text of this length has, and the same for the same text. Costs almost nothing, so
 * that few cores can supply many fast devices.
 */
export class CountingTokenizer implements Tokenizer {
  encode(inputs: readonly ModelTexts[], { prompt, maxTokens }: EncodeOptions): Promise<Encoded[]> {
    return Promise.resolve(inputs.map(([text, pair = '']) => count(prompt + text + pair, maxTokens)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function count(text: string, maxTokens: number): Encoded {
  const length = Math.ceil(text.length / TOKEN_CHARS) + SPECIAL_TOKENS;
  const ids = new Int32Array(Math.min(length, maxTokens));
  let state = text.length;
  for (let at = 0; at < ids.length; at++) {
    // One character of each token, and the last characters, in which numbered texts differ.
    state = Math.imul(state ^ text.charCodeAt(Math.min(at * TOKEN_CHARS, text.length - 1)), 0x01000193);
    state ^= text.charCodeAt(Math.max(0, text.length - 1 - at));
    ids[at] = (state >>> 8) % VOCABULARY;
  }
  return { ids, types: null, length, truncated: length > maxTokens };
}
