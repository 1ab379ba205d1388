import { BootError, INSTRUCTION_PROMPT_NAME, NO_PROMPT_NAME } from '#contracts';
import { builtInPrompts } from './built-in-prompts.js';
import type { ManifestOverrides } from './types.js';

/** A model's prompts. */
export interface Prompts {
  /** By name; the text may be empty. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Name of the prompt of requests that ask for none; null: they get none. */
  readonly defaultPrompt: string | null;
  /** The prompt of requests with an instruction, in place of `{instruction}`; null: not supported. */
  readonly instruction: string | null;
}

/** What `config_sentence_transformers.json` says about prompts. */
export interface PromptsInFile {
  readonly prompts?: Readonly<Record<string, string>> | null | undefined;
  readonly default_prompt_name?: string | null | undefined;
}

const RESERVED: readonly string[] = [NO_PROMPT_NAME, INSTRUCTION_PROMPT_NAME];

/**
 * Puts prompts together: those of the family, replaced by those in the model's file, replaced by those of `models.json`.
 * sentence-transformers saves empty prompts named `query` and `document` with every model; they replace nothing.
 * @param file path of the model's file, for messages
 * A prompt of the file under a reserved name is left out with a warning, since no request can select it.
 * @throws BootError when the default prompt does not exist, or `models.json` uses a reserved name
 */
export function promptsOf(
  source: string,
  file: string | null,
  said: PromptsInFile,
  overrides: Pick<ManifestOverrides, 'prompts' | 'defaultPrompt' | 'instruction'>,
  warn: (warning: string) => void,
): Prompts {
  const taken = Object.keys(overrides.prompts ?? {}).find((name) => RESERVED.includes(name));
  if (taken !== undefined) {
    throw new BootError(`${source}: prompts in models.json has "${taken}", a reserved name: give the prompt another`);
  }
  const builtIn = builtInPrompts(source);
  const known = Object.keys(builtIn.prompts).length > 0;
  const entries = Object.entries(said.prompts ?? {}).filter(([name, text]) => {
    if (!RESERVED.includes(name)) return text !== '' || !known;
    warn(`${file}: prompts has "${name}", a reserved name: the prompt is left out; name it in models.json to use it`);
    return false;
  });
  const prompts = { ...builtIn.prompts, ...Object.fromEntries(entries), ...overrides.prompts };
  const defaultPrompt = overrides.defaultPrompt === undefined ? defaultOf(said) : overrides.defaultPrompt;
  if (defaultPrompt !== null && !Object.hasOwn(prompts, defaultPrompt)) {
    const names = Object.keys(prompts).map((name) => JSON.stringify(name));
    const where = overrides.defaultPrompt === undefined ? `${file}: default_prompt_name` : `${source}: defaultPrompt`;
    throw new BootError(
      `${where} is ${JSON.stringify(defaultPrompt)}, which is not one of its prompts (${names.join(', ') || 'none'})`,
    );
  }
  const instruction = overrides.instruction === undefined ? builtIn.instruction : overrides.instruction;
  return { prompts, defaultPrompt, instruction };
}

/** An empty prompt named `none` is no prompt, also as the default one. */
function defaultOf({ default_prompt_name: name, prompts }: PromptsInFile): string | null {
  return name === NO_PROMPT_NAME && prompts?.[name] === '' ? null : name || null;
}
