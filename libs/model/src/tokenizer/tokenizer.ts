import type { ModelTexts, TruncationSide } from '#contracts';

export interface EncodeOptions {
  /** Put before each text, of a pair before the first, as it is; never truncated. */
  readonly prompt: string;
  readonly truncate: TruncationSide;
  /** Longest sequence, special tokens and prompt included. */
  readonly maxTokens: number;
}

/** One input as the model takes it. */
export interface Encoded {
  /** Special tokens included, after truncation; no padding. */
  readonly ids: Int32Array;
  /** `[ids.length]`: the segment that each token belongs to; for a single text null, or 0 throughout. */
  readonly types: Int32Array | null;
  /** Tokens before truncation, special tokens and prompt included. */
  readonly length: number;
  readonly truncated: boolean;
}

/** A tokenizer turns texts into token ids, off the caller's thread. */
export interface Tokenizer {
  /**
   * One result for each input, in order. Of a pair only the second text is truncated. Rejects when the tokenizer fails;
   * the next call may succeed.
   */
  encode(inputs: readonly ModelTexts[], options: EncodeOptions): Promise<Encoded[]>;
  close(): Promise<void>;
}
