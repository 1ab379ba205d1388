import { readFile } from 'node:fs/promises';
import { BootError, type TruncationSide } from '#contracts';
import { readJson } from '../config/closed-file.js';
import { type AddedToken, type Part, partsOf, type TokenizerDefinition } from './definition.js';
import { requireFrame } from './frame-tokens.js';
import { tokensOnlyNamed } from './named-tokens.js';
import { withOlderFiles } from './older-token-files.js';
import type { Manifest, ModelFiles, TokenizerFiles } from '../types.js';
import { TO_JSON } from './to-json.js';
import { wordPieces } from './word-pieces.js';

type Settings = Record<string, unknown>;

/** A model's tokenizer as its files together define it. */
export interface ReadTokenizer {
  readonly files: TokenizerFiles;
  /** What is not as in `tokenizer.json`; empty for most models. Part of the fingerprint. */
  readonly changes: Readonly<Settings>;
  /** Where texts are cut for requests that do not say. */
  readonly truncate: TruncationSide;
}

/**
 * Reads a tokenizer, and applies what other files of the model override in it.
 * @throws BootError, one line, when a file cannot be read
 */
export async function readTokenizer(files: ModelFiles, { lowerCase }: Manifest): Promise<ReadTokenizer> {
  // A table has no vectors for the beginning and end of a text: sentence-transformers adds no such tokens.
  if (files.config === null || files.isStatic) {
    const { json: tokenizer } = await readJson(files.tokenizer);
    const bare = { ...(tokenizer as Settings), post_processor: null };
    return { files: { tokenizer: bare, config: {} }, changes: {}, truncate: truncationOf(tokenizer, {}) };
  }
  const config = files.tokenizerConfig === null ? {} : (await readJson(files.tokenizerConfig)).json;
  const { json: model } = await readJson(files.config);
  const tokenizer = files.tokenizer.endsWith('.txt')
    ? await fromVocabulary(files, classOf(settingsOf(config), settingsOf(model)))
    : (await readJson(files.tokenizer)).json;
  const listed = (tokenizer as Partial<TokenizerDefinition> | null)?.added_tokens ?? [];
  const named = await withOlderFiles(settingsOf(config), listed, files);
  const { changes, definition } = override(tokenizer, settingsOf(config), named, model);
  const truncate = truncationOf(tokenizer, config);
  if (!lowerCase) return { files: { tokenizer: definition, config }, changes, truncate };
  // As sentence-transformers does it: added tokens, such as [CLS], are found before.
  const normalizers = [{ type: 'Lowercase' }, ...partsOf(definition['normalizer'] as Part | null | undefined)];
  const lowered = { ...definition, normalizer: { type: 'Sequence', normalizers } };
  return { files: { tokenizer: lowered, config }, changes: { ...changes, lowerCase }, truncate };
}

/**
 * The side that transformers cuts at: what `tokenizer_config.json` says, else the truncation in `tokenizer.json`.
 * `padding_side` has no counterpart: rows are padded at their end, and padding changes no vector, since the graph gets
 * the mask and finds the last token by it.
 */
function truncationOf(tokenizer: unknown, config: unknown): TruncationSide {
  const { truncation_side: said } = settingsOf(config);
  const { direction } = settingsOf(settingsOf(tokenizer)['truncation']);
  if (said === undefined || said === null) return direction === 'Left' ? 'start' : 'end';
  if (said === 'left') return 'start';
  if (said === 'right') return 'end';
  throw new BootError(`tokenizer_config.json: truncation_side is ${JSON.stringify(said)}, neither "left" nor "right"`);
}

/** Tokenizer classes that are BERT's under another name. */
const LIKE_BERT: readonly string[] = ['bert', 'distilbert', 'electra', 'mobilebert'];

/** @throws BootError when the file is not of BERT's tokenizer */
async function fromVocabulary({ tokenizer, tokenizerConfig }: ModelFiles, kind: string): Promise<Settings> {
  if (LIKE_BERT.includes(kind)) return wordPieces(tokenizer, await readFile(tokenizer, 'utf8'), tokenizerConfig);
  throw new BootError(
    `${tokenizer}: Embedmill makes only BERT's tokenizer of it, and this is of "${kind}"; ${TO_JSON}`,
  );
}

/** Tokenizer classes that make BERT's normalizer anew, whatever `tokenizer.json` says. */
const OWN_NORMALIZER: readonly string[] = [...LIKE_BERT, 'convbert', 'mpnet'];

/** Members of `tokenizer_config.json`: what each sets, and its value where the file does not have it. */
type Overrides = Readonly<Record<string, readonly [member: string, absent: unknown]>>;
const NORMALIZER: Overrides = {
  do_lower_case: ['lowercase', true],
  strip_accents: ['strip_accents', null],
  tokenize_chinese_chars: ['handle_chinese_chars', true],
};
const PRE_TOKENIZER: Overrides = { add_prefix_space: ['add_prefix_space', undefined] };

/**
 * transformers lets `tokenizer_config.json` override some members of `tokenizer.json`: of the normalizer by the classes
 * in `OWN_NORMALIZER`, which have defaults for those that it does not name, and `add_prefix_space` of a byte-level
 * pre-tokenizer. Tokens that
 * only that file names, or those beside it, are added. `add_bos_token` and `add_eos_token` change nothing where there is a tokenizer.json.
 * @param said `tokenizer_config.json`
 * @param named the same with the tokens of older files
 * @param model `config.json`: its `model_type` names the class where the file does not
 */
function override(
  tokenizer: unknown,
  said: Settings,
  named: Settings,
  model: unknown,
): { readonly definition: Settings; readonly changes: Settings } {
  const changed = { ...(tokenizer as Settings) };
  const changes: Settings = {};
  const apply = (part: 'normalizer' | 'pre_tokenizer', members: Overrides) => {
    const before = settingsOf(changed[part]);
    for (const [name, [member, absent]] of Object.entries(members)) {
      const value = said[name] ?? absent;
      // A part without the member, such as a Sequence, is left alone there, too.
      if (value === undefined || !Object.hasOwn(before, member) || before[member] === value) continue;
      changed[part] = { ...settingsOf(changed[part]), [member]: value };
      changes[`${part}.${member}`] = value;
    }
  };
  if (OWN_NORMALIZER.includes(classOf(said, settingsOf(model)))) {
    apply('normalizer', NORMALIZER);
    requireFrame(changed, said);
  }
  if (settingsOf(changed['pre_tokenizer'])['type'] === 'ByteLevel') apply('pre_tokenizer', PRE_TOKENIZER);
  const more = tokensOnlyNamed(changed as unknown as TokenizerDefinition, named, settingsOf(model)['vocab_size']);
  if (more.length > 0) {
    changed['added_tokens'] = [...((changed['added_tokens'] ?? []) as readonly AddedToken[]), ...more];
    changes['added_tokens'] = more;
  }
  return { definition: changed, changes };
}

/** `bert` for `BertTokenizer` and `BertTokenizerFast`. */
function classOf(config: Settings, model: Settings): string {
  const named = config['tokenizer_class'] ?? model['tokenizer_class'];
  if (typeof named === 'string') return named.replace(/Tokenizer(Fast)?$/, '').toLowerCase();
  return typeof model['model_type'] === 'string' ? model['model_type'] : '';
}

function settingsOf(json: unknown): Settings {
  return typeof json === 'object' && json !== null ? (json as Settings) : {};
}
