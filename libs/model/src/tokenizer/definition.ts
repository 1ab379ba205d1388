import type { TokenizerFiles } from '../types.js';

/** A member of a pipeline: a normalizer, pre-tokenizer and so on, as in `tokenizer.json`. */
export interface Part {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface AddedToken {
  readonly content: string;
  readonly rstrip?: boolean;
}

/** What is read of `tokenizer.json` here; the libraries read the rest. */
export interface TokenizerDefinition {
  readonly normalizer?: Part | null;
  readonly pre_tokenizer?: Part | null;
  readonly added_tokens?: readonly AddedToken[];
  readonly model: Part;
  readonly [member: string]: unknown;
}

/** Members of `tokenizer_config.json` that transformers prefers to those of `tokenizer.json`, by the part they are in. */
const OVERRIDES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  BertNormalizer: {
    do_lower_case: 'lowercase',
    strip_accents: 'strip_accents',
    tokenize_chinese_chars: 'handle_chinese_chars',
  },
  ByteLevel: { add_prefix_space: 'add_prefix_space' },
};

/**
 * The definition as transformers uses it: `tokenizer_config.json` overrides some members. Padding and truncation are
 * left out, because both are done elsewhere.
 * @throws Error when the file is no tokenizer
 */
export function tokenizerDefinition({ tokenizer, config }: TokenizerFiles): TokenizerDefinition {
  if (typeof tokenizer !== 'object' || tokenizer === null || !('model' in tokenizer)) {
    throw new Error('tokenizer.json has no model');
  }
  const definition = tokenizer as TokenizerDefinition;
  const settings = (config ?? {}) as Readonly<Record<string, unknown>>;
  return {
    ...definition,
    normalizer: overridden(definition.normalizer, settings),
    pre_tokenizer: overridden(definition.pre_tokenizer, settings),
    padding: null,
    truncation: null,
  };
}

/** Whether `tokenizer_config.json` changes what `tokenizer.json` says. */
export function isOverridden(files: TokenizerFiles): boolean {
  const { normalizer, pre_tokenizer: preTokenizer } = files.tokenizer as TokenizerDefinition;
  const used = tokenizerDefinition(files);
  return (
    JSON.stringify([used.normalizer, used.pre_tokenizer]) !== JSON.stringify([normalizer ?? null, preTokenizer ?? null])
  );
}

/** The parts of a pipeline, one after the other. */
export function partsOf(part: Part | null | undefined): readonly Part[] {
  if (part === null || part === undefined) return [];
  if (part.type !== 'Sequence') return [part];
  const members = (part['normalizers'] ?? part['pretokenizers'] ?? []) as readonly Part[];
  return members.flatMap((member) => partsOf(member));
}

function overridden(part: Part | null | undefined, settings: Readonly<Record<string, unknown>>): Part | null {
  if (part === null || part === undefined) return null;
  const lists = Object.entries(part)
    .filter(([name]) => part.type === 'Sequence' && (name === 'normalizers' || name === 'pretokenizers'))
    .map(([name, members]) => [name, (members as readonly Part[]).map((member) => overridden(member, settings))]);
  const members = Object.entries(OVERRIDES[part.type] ?? {})
    .filter(([setting]) => typeof settings[setting] === 'boolean')
    .map(([setting, member]) => [member, settings[setting]]);
  return { ...part, ...Object.fromEntries([...lists, ...members]) } as Part;
}
