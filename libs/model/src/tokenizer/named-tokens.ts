import { BootError } from '#contracts';
import type { AddedToken, TokenizerDefinition } from './definition.js';

type Settings = Readonly<Record<string, unknown>>;

/** Members of which each names one special token. */
export const NAMED = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/**
 * Tokens that `tokenizer_config.json` names and `tokenizer.json` does not list: transformers finds these in texts, too.
 * Those that the model has no embedding for are left out; transformers fails at texts with them.
 * @param vocabSize the model's number of embeddings; undefined: unknown
 * @throws BootError for a setting under which special tokens in texts would be split
 */
export function tokensOnlyNamed(
  { added_tokens: listed = [], model }: TokenizerDefinition,
  config: Settings,
  vocabSize: unknown,
): AddedToken[] {
  if (config['split_special_tokens'] === true) {
    throw new BootError(
      'tokenizer_config.json: split_special_tokens: true is not supported: Embedmill finds special tokens in texts',
    );
  }
  const known = idsOf(model['vocab']);
  const contents = new Set(listed.map(({ content }) => content));
  let next = Math.max(known.size, ...listed.map((token) => Number(token['id']) + 1));
  const found: AddedToken[] = [];
  for (const token of namedTokens(config)) {
    if (contents.has(token.content) || token.content === '') continue;
    contents.add(token.content);
    const id = known.get(token.content) ?? next++;
    if (typeof vocabSize !== 'number' || id < vocabSize) found.push({ id, ...token });
  }
  return found;
}

/** In the order in which transformers adds them. */
function namedTokens(config: Settings): AddedToken[] {
  const listed = Object.entries(objectOf(config['added_tokens_decoder'])).sort(([a], [b]) => Number(a) - Number(b));
  const others = Object.keys(config).filter((key) => key.endsWith('_token') && !NAMED.includes(key));
  const [extra, additional] = [config['extra_special_tokens'], config['additional_special_tokens']];
  const more = isEmpty(extra) ? additional : extra;
  return [
    ...listed.map(([, token]) => token),
    ...[...NAMED, ...others].map((key) => config[key]),
    ...(Array.isArray(more) ? (more as unknown[]) : Object.values(objectOf(more))),
  ].flatMap(tokenOf);
}

/** A token is a text, or an object with its settings. */
function tokenOf(value: unknown): AddedToken[] {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  if (typeof value === 'string') return [{ ...plain, content: value }];
  const { content, ...settings } = objectOf(value);
  if (typeof content !== 'string') return [];
  const { __type: _, id: __, ...flags } = settings;
  return [{ ...plain, normalized: settings['special'] === false, ...flags, content }];
}

/** Of a vocabulary: an object of ids, or a list of tokens with scores. */
function idsOf(vocab: unknown): ReadonlyMap<string, number> {
  if (!Array.isArray(vocab)) return new Map(Object.entries(objectOf(vocab)) as [string, number][]);
  return new Map((vocab as [string, number][]).map(([token], id) => [token, id]));
}

function objectOf(value: unknown): Settings {
  return typeof value === 'object' && value !== null ? (value as Settings) : {};
}

function isEmpty(value: unknown): boolean {
  return Object.keys(objectOf(value)).length === 0;
}
