import type { ModelTexts } from '#contracts';
import type { EncodeOptions } from './tokenizer.js';

/** A message to the tokenizer thread. */
export interface EncodeRequest {
  readonly id: number;
  readonly inputs: readonly ModelTexts[];
  readonly options: EncodeOptions;
}

/**
 * A reply of the tokenizer thread: the ids of all inputs, concatenated; their types likewise, if any input is a pair;
 * and for each input the end of its ids, and its length before truncation.
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
