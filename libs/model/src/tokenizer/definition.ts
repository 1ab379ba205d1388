import type { TokenizerFiles } from '../types.js';

/** A member of a pipeline: a normalizer, pre-tokenizer and so on, as in `tokenizer.json`. */
export interface Part {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface AddedToken {
  readonly content: string;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly [member: string]: unknown;
}

/** What is read of `tokenizer.json` here; the libraries read the rest. */
export interface TokenizerDefinition {
  readonly normalizer?: Part | null;
  readonly pre_tokenizer?: Part | null;
  readonly added_tokens?: readonly AddedToken[];
  readonly model: Part;
  readonly [member: string]: unknown;
}

/**
 * The definition without padding and truncation, which are done elsewhere.
 * @throws Error when the file is no tokenizer
 */
export function tokenizerDefinition({ tokenizer }: TokenizerFiles): TokenizerDefinition {
  if (typeof tokenizer !== 'object' || tokenizer === null || !('model' in tokenizer)) {
    throw new Error('tokenizer.json has no model');
  }
  return { ...(tokenizer as TokenizerDefinition), padding: null, truncation: null };
}

/** The parts of a pipeline, one after the other. */
export function partsOf(part: Part | null | undefined): readonly Part[] {
  if (part === null || part === undefined) return [];
  if (part.type !== 'Sequence') return [part];
  const members = (part['normalizers'] ?? part['pretokenizers'] ?? []) as readonly Part[];
  return members.flatMap((member) => partsOf(member));
}
