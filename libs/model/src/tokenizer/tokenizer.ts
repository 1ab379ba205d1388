import type { ModelTexts, TruncationSide } from '#contracts';

export interface EncodeOptions {
  /** Prepended unchanged to each text, in a pair to the first one; never truncated. */
  readonly prompt: string;
  readonly truncate: TruncationSide;
  /** Maximum length of a sequence, special tokens and prompt included. */
  readonly maxTokens: number;
}

/** One encoded input. */
export interface Encoded {
  /** `[tokens]`: ids after truncation, special tokens included, without padding. */
  readonly ids: Int32Array;
  /** `[ids.length]`: the segment of each token; for a single text null, or all 0. */
  readonly types: Int32Array | null;
  /** Tokens before truncation, special tokens and prompt included. */
  readonly length: number;
  readonly truncated: boolean;
}

/** A tokenizer turns texts into token ids, outside the caller's thread. */
export interface Tokenizer {
  /**
   * Returns one result for each input, in order. In a pair, only the second text is truncated. Rejects when the
   * tokenizer fails; the next call may succeed.
   */
  encode(inputs: readonly ModelTexts[], options: EncodeOptions): Promise<Encoded[]>;
  close(): Promise<void>;
}
