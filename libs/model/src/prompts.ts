import { BootError } from '#contracts';
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

/**
 * Puts prompts together: those of the family, replaced by those in the model's file, replaced by those of `models.json`.
 * sentence-transformers saves empty prompts named `query` and `document` with every model; they replace nothing.
 * @param file path of the model's file, for messages
 * @throws BootError when the default prompt does not exist
 */
export function promptsOf(
  source: string,
  file: string | null,
  said: PromptsInFile,
  overrides: Pick<ManifestOverrides, 'prompts' | 'defaultPrompt' | 'instruction'>,
): Prompts {
  const builtIn = builtInPrompts(source);
  const known = Object.keys(builtIn.prompts).length > 0;
  const entries = Object.entries(said.prompts ?? {}).filter(([, text]) => text !== '' || !known);
  const prompts = { ...builtIn.prompts, ...Object.fromEntries(entries), ...overrides.prompts };
  const defaultPrompt =
    overrides.defaultPrompt === undefined ? said.default_prompt_name || null : overrides.defaultPrompt;
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
