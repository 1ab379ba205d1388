import type { Lane, ModelTexts, TruncationSide } from '#contracts';

export interface EncodeOptions {
  /** Prepended unchanged to each text, in a pair to the first one; never truncated. */
  readonly prompt: string;
  readonly truncate: TruncationSide;
  /** Maximum length of a sequence, special tokens and prompt included. */
  readonly maxTokens: number;
  /** Interactive calls go before bulk ones. Default: bulk. */
  readonly lane?: Lane | undefined;
  /** Whether to say where in its text each token comes from. The JavaScript library cannot. Default: false. */
  readonly offsets?: boolean | undefined;
}

/** One encoded input. */
export interface Encoded {
  /** `[tokens]`: ids after truncation, special tokens included, without padding. */
  readonly ids: Int32Array;
  /** `[ids.length]`: the segment of each token; for a single text null, or all 0. */
  readonly types: Int32Array | null;
  /**
   * `[2 * ids.length]`, if asked for: start and end of each token in its text without the prompt, UTF-16 code units, so
   * that `text.slice(start, end)` is what it was made from. In a pair, a token of the second text has its range in that
   * one. 0 and 0 for special tokens and those of the prompt. As the tokenizer's library has it: tokens may share a
   * character, and contain the space before a word.
   */
  readonly offsets?: Int32Array;
  /** Tokens before truncation, special tokens and prompt included. */
  readonly length: number;
  /** The text has more than `length` tokens: only as much of it was tokenised as is kept. Default: false. */
  readonly lengthIsLowerBound?: boolean;
  readonly truncated: boolean;
  /**
   * Tokens of the prompt, counted alone as sentence-transformers does, with the special tokens before it. Default: 0, as
   * without a prompt.
   */
  readonly promptTokens?: number;
}

/** Ids of a long text cannot be known without tokenising more of it than is allowed. */
export class TextTooComplexError extends Error {
  override readonly name = 'TextTooComplexError';
  readonly code = 'text_too_complex';
}

/** The prompt and the special tokens leave a text no room. */
export class PromptTooLongError extends Error {
  override readonly name = 'PromptTooLongError';
  readonly code = 'prompt_too_long';
}

/** A tokenizer turns texts into token ids, outside the caller's thread. */
export interface Tokenizer {
  /**
   * Returns one result for each input, in order; for an input that cannot be encoded, the reason. In a pair, only the
   * second text is truncated. Rejects only when the tokenizer itself is lost; the next call may succeed.
   */
  encode(inputs: readonly ModelTexts[], options: EncodeOptions): Promise<(Encoded | Error)[]>;
  close(): Promise<void>;
}
