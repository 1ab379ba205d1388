import { BootError } from '#contracts';

type Settings = Readonly<Record<string, unknown>>;

/**
 * The classes of BERT's tokenizer put their `cls_token` and `sep_token` around texts, whatever `tokenizer.json` says; but
 * only since version 5 of transformers. Where the two differ, neither is right for sure.
 * @param config `tokenizer_config.json`
 * @throws BootError, one line
 */
export function requireFrame(tokenizer: Settings, config: Settings): void {
  const names = namesIn(objectOf(tokenizer['post_processor']));
  if (names.length === 0) return;
  for (const key of ['cls_token', 'sep_token']) {
    const { content = config[key] } = objectOf(config[key]);
    if (typeof content !== 'string' || names.includes(content)) continue;
    const around = names.map((name) => `"${name}"`).join(' and ');
    throw new BootError(
      `tokenizer_config.json: ${key} is "${content}", but tokenizer.json puts ${around} around texts`,
    );
  }
}

/** Tokens that a post-processor puts around texts; none of an unknown kind. */
function namesIn({ cls, sep, special_tokens: special, type }: Settings): readonly string[] {
  if (type === 'TemplateProcessing') return Object.keys(objectOf(special));
  const named = [cls, sep].map((pair) => (Array.isArray(pair) ? (pair[0] as unknown) : undefined));
  return named.filter((name) => typeof name === 'string');
}

function objectOf(value: unknown): Settings {
  return typeof value === 'object' && value !== null ? (value as Settings) : {};
}
