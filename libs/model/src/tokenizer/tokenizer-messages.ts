import type { ModelTexts } from '#contracts';
import type { TokenizerFiles } from '../types.js';
import type { DriverName } from './drivers/driver.js';
import type { EncodeOptions } from './tokenizer.js';

/** What a tokenizer thread starts with. */
export interface TokenizerStart {
  readonly files: TokenizerFiles;
  readonly driver: DriverName;
}

/** A message to the tokenizer thread. */
export interface EncodeRequest {
  readonly id: number;
  readonly inputs: readonly ModelTexts[];
  readonly options: EncodeOptions;
}

/** Why an input has no ids. */
export interface EncodeFailure {
  readonly index: number;
  readonly message: string;
  /** Of errors that have a code of their own. */
  readonly code: 'text_too_complex' | 'prompt_too_long' | null;
}

/**
 * A reply of the tokenizer thread: the ids of all inputs, concatenated; their types likewise, if any input is a pair;
 * their offsets, if asked for; and for each input the end of its ids, and its length before truncation, negative if that is a lower bound.
 */
export interface EncodeReply {
  readonly id: number;
  readonly ids: Int32Array;
  readonly types: Int32Array | null;
  readonly offsets: Int32Array | null;
  readonly ends: Int32Array;
  readonly lengths: Int32Array;
  /** `promptTokens` of each input. */
  readonly promptTokens: Int32Array;
  /** Of failed inputs, which have no ids above. */
  readonly failures: readonly EncodeFailure[];
}
