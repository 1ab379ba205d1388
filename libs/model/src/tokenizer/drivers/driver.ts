import type { Tokens } from '../tokens.js';

/** A text or a pair with the special tokens of the post-processor. */
export interface Framed {
  readonly ids: readonly number[];
  /** `[ids.length]`: segments; empty when the tokenizer has none. */
  readonly types: readonly number[];
}

/** A library that turns texts into ids. It knows nothing of prompts, limits and threads. */
export interface TokenizerDriver {
  /** Maximum size of a text that is tokenised as a whole, UTF-8 bytes. */
  readonly wholeBytes: number;
  /**
   * Tokens of each text, without special tokens; for a text that the library refuses, the reason.
   * @param ranges whether to find their ranges, too; a library that cannot refuses every text
   */
  tokens(texts: readonly string[], ranges: boolean): Promise<(Tokens | Error)[]>;
  framed(text: string, pair?: string): Promise<Framed>;
}

export const DRIVER_NAMES = ['native', 'javascript'] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];
