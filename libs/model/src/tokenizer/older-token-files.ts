import { BootError } from '#contracts';
import { readJson } from '../config/closed-file.js';
import type { ModelFiles } from '../types.js';
import type { AddedToken } from './definition.js';
import { NAMED } from './named-tokens.js';

type Settings = Readonly<Record<string, unknown>>;
type Files = Pick<ModelFiles, 'specialTokensMap' | 'addedTokens'>;

/**
 * `tokenizer_config.json` with the tokens of `special_tokens_map.json` and `added_tokens.json`, which older versions of
 * transformers wrote beside it. As there, they are read only if it has no `added_tokens_decoder`.
 * @param listed added tokens of `tokenizer.json`, which take the place of those with the same id
 * @throws BootError, one line, for a member that is not a token, or with which some classes would frame texts otherwise
 */
export async function withOlderFiles(
  config: Settings,
  listed: readonly AddedToken[],
  { addedTokens, specialTokensMap }: Files,
): Promise<Settings> {
  const none = addedTokens === null && specialTokensMap === null;
  if (none || config['added_tokens_decoder'] !== undefined) return config;
  const map = specialTokensMap === null ? {} : await readMap(specialTokensMap);
  for (const key of ['cls_token', 'sep_token']) {
    const content = contentOf(map[key]);
    if (typeof content !== 'string' || listed.some((token) => token.content === content)) continue;
    throw new BootError(
      `${specialTokensMap}: ${key} is "${content}", which tokenizer.json does not list: Embedmill puts only those around texts`,
    );
  }
  const further = furtherTokens(config, map);
  const settings = { ...config, ...map, extra_special_tokens: further, additional_special_tokens: [] };
  if (addedTokens === null) return settings;
  const named = NAMED.map((key) => (Object.hasOwn(map, key) ? contentOf(map[key]) : config[key]));
  const special = new Set<unknown>([...named, ...further.map(contentOf)]);
  const taken = new Set(listed.map(({ id }) => id));
  const added = Object.entries(await readAdded(addedTokens)).filter(([, id]) => !taken.has(id));
  const tokens = added.map(([content, id]) => [id, { content, normalized: !special.has(content) }] as const);
  return { ...settings, added_tokens_decoder: Object.fromEntries(tokens) };
}

/** Special tokens without a member of their own. Under its older name, the map's list counts only if there is no other. */
function furtherTokens(config: Settings, map: Settings): unknown[] {
  const own = Object.values(objectOf(config['extra_special_tokens']));
  const older = config['additional_special_tokens'];
  const found = own.length > 0 ? own : Object.values(objectOf(older));
  const isList = Array.isArray(config['extra_special_tokens']) || older !== undefined;
  const other = isList || map['extra_special_tokens'] !== undefined;
  const mapped = map['extra_special_tokens'] ?? (other ? [] : map['additional_special_tokens']);
  return [...found, ...Object.values(objectOf(mapped)).map(specialToken)];
}

async function readMap(path: string): Promise<Settings> {
  const map = objectOf((await readJson(path)).json);
  const tokens = Object.entries(map).map(([member, value]): [string, unknown] => {
    const several = member === 'extra_special_tokens' || member === 'additional_special_tokens';
    if (!several && !member.endsWith('_token')) {
      throw new BootError(`${path}: ${member} is ${JSON.stringify(value)}, but it is no token`);
    }
    return [member, several ? value : specialToken(value)];
  });
  return Object.fromEntries(tokens);
}

/** The file says of each token its id. @throws BootError */
async function readAdded(path: string): Promise<Readonly<Record<string, number>>> {
  const ids = objectOf((await readJson(path)).json);
  const wrong = Object.entries(ids).find(([, id]) => !Number.isInteger(id));
  if (wrong !== undefined) throw new BootError(`${path}: ${wrong[0]} is ${JSON.stringify(wrong[1])}, but it is no id`);
  return ids as Record<string, number>;
}

/** Every token of that file is special, whatever it says. */
function specialToken(value: unknown): unknown {
  return contentOf(value) === value ? value : { ...objectOf(value), special: true };
}

function contentOf(value: unknown): unknown {
  const { content } = objectOf(value);
  return content === undefined ? value : content;
}

function objectOf(value: unknown): Settings {
  return typeof value === 'object' && value !== null ? (value as Settings) : {};
}
