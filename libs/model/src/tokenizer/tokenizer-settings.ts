import { readFile } from 'node:fs/promises';
import { BootError } from '#contracts';
import { readJson } from '../config/closed-file.js';
import { type AddedToken, type Part, partsOf, type TokenizerDefinition } from './definition.js';
import { tokensOnlyNamed } from './named-tokens.js';
import type { Manifest, ModelFiles, TokenizerFiles } from '../types.js';
import { TO_JSON } from './to-json.js';
import { wordPieces } from './word-pieces.js';

type Settings = Record<string, unknown>;

/** A model's tokenizer as its files together define it. */
export interface ReadTokenizer {
  readonly files: TokenizerFiles;
  /** What is not as in `tokenizer.json`; empty for most models. Part of the fingerprint. */
  readonly changes: Readonly<Settings>;
}

/**
 * Reads a tokenizer, and applies what other files of the model override in it.
 * @throws BootError, one line, when a file cannot be read
 */
export async function readTokenizer(files: ModelFiles, { lowerCase }: Manifest): Promise<ReadTokenizer> {
  // A table has no vectors for the beginning and end of a text: sentence-transformers adds no such tokens.
  if (files.config === null || files.isStatic) {
    const { json: tokenizer } = await readJson(files.tokenizer);
    return { files: { tokenizer: { ...(tokenizer as Settings), post_processor: null }, config: {} }, changes: {} };
  }
  const config = files.tokenizerConfig === null ? {} : (await readJson(files.tokenizerConfig)).json;
  const { json: model } = await readJson(files.config);
  const tokenizer = files.tokenizer.endsWith('.txt')
    ? await fromVocabulary(files, classOf(settingsOf(config), settingsOf(model)))
    : (await readJson(files.tokenizer)).json;
  const { changes, definition } = override(tokenizer, config, model);
  if (!lowerCase) return { files: { tokenizer: definition, config }, changes };
  // As sentence-transformers does it: added tokens, such as [CLS], are found before.
  const normalizers = [{ type: 'Lowercase' }, ...partsOf(definition['normalizer'] as Part | null | undefined)];
  const lowered = { ...definition, normalizer: { type: 'Sequence', normalizers } };
  return { files: { tokenizer: lowered, config }, changes: { ...changes, lowerCase } };
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

/** Tokenizer classes that set members of the normalizer, and those of `tokenizer_config.json` that do. */
const BERT = {
  do_lower_case: 'lowercase',
  strip_accents: 'strip_accents',
  tokenize_chinese_chars: 'handle_chinese_chars',
};
const MPNET = { do_lower_case: 'lowercase', strip_accents: 'strip_accents' };
const NORMALIZERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bert: BERT,
  distilbert: BERT,
  electra: BERT,
  mobilebert: BERT,
  convbert: BERT,
  mpnet: MPNET,
};

/**
 * transformers lets `tokenizer_config.json` override some members of `tokenizer.json`: of the normalizer by the classes
 * in `NORMALIZERS`, and `add_prefix_space` of a byte-level pre-tokenizer. Only members that the file names. Tokens that
 * only that file names are added. `add_bos_token` and `add_eos_token` change nothing where there is a tokenizer.json.
 * @param model `config.json`: its `model_type` names the class where the file does not
 */
function override(
  tokenizer: unknown,
  config: unknown,
  model: unknown,
): { readonly definition: Settings; readonly changes: Settings } {
  const changed = { ...(tokenizer as Settings) };
  const changes: Settings = {};
  const said = settingsOf(config);
  const apply = (part: 'normalizer' | 'pre_tokenizer', members: Readonly<Record<string, string>>) => {
    const before = settingsOf(changed[part]);
    for (const [name, member] of Object.entries(members)) {
      const value = said[name];
      // A part without the member, such as a Sequence, is left alone there, too.
      if (value === undefined || !Object.hasOwn(before, member) || before[member] === value) continue;
      changed[part] = { ...settingsOf(changed[part]), [member]: value };
      changes[`${part}.${member}`] = value;
    }
  };
  apply('normalizer', NORMALIZERS[classOf(said, settingsOf(model))] ?? {});
  if (settingsOf(changed['pre_tokenizer'])['type'] === 'ByteLevel') {
    apply('pre_tokenizer', { add_prefix_space: 'add_prefix_space' });
  }
  const named = tokensOnlyNamed(changed as unknown as TokenizerDefinition, said, settingsOf(model)['vocab_size']);
  if (named.length > 0) {
    changed['added_tokens'] = [...((changed['added_tokens'] ?? []) as readonly AddedToken[]), ...named];
    changes['added_tokens'] = named;
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
