import type { ModelTexts } from '#contracts';
import type { EncodeOptions } from './tokenizer.js';

/** What goes to the tokenizer thread. */
export interface EncodeRequest {
  readonly id: number;
  readonly inputs: readonly ModelTexts[];
  readonly options: EncodeOptions;
}

/**
 * What comes back: ids of all inputs one after the other, likewise their types if any is a pair, and for each input where
 * its ids end and its full length.
 */
export type EncodeReply =
  | {
      readonly id: number;
      readonly ids: Int32Array;
      readonly types: Int32Array | null;
      readonly ends: Int32Array;
      readonly lengths: Int32Array;
    }
  | { readonly id: number; readonly error: string };
