import { ApiError, INSTRUCTION_PROMPT_NAME, type ModelCard, NO_PROMPT_NAME } from '#contracts';

/** Members of a request that choose a prompt. */
export interface PromptWishes {
  readonly input_type?: string | undefined;
  readonly prompt_name?: string | undefined;
  readonly instruction?: string | undefined;
}

/** The prompt before each text of a request. */
export interface ChosenPrompt {
  /** Name in the model's card, or `instruction` for the request's own; null: none. */
  readonly name: string | null;
  /** Prepended unchanged; empty for none. */
  readonly text: string;
}

type Card = Pick<ModelCard, 'name' | 'prompts' | 'defaultPrompt' | 'instruction'>;
type Role = 'query' | 'document';

/**
 * Words for the two roles of a text, as `plain` writes them. In the order in which a model's prompts are searched: the
 * first names are those of sentence-transformers' `encode_query` and `encode_document`, the others those of model
 * families and of other services.
 */
const WORDS: Readonly<Record<Role, readonly string[]>> = {
  query: ['query', 'search_query', 'retrieval_query', 'web_search_query', 's2p_query'],
  document: [
    'document',
    'passage',
    'corpus',
    'search_document',
    'retrieval_document',
    'retrieval_passage',
    'search_passage',
  ],
};

/** Response header with the name of the prompt used, or `none`. */
export const PROMPT_HEADER = 'x-embedmill-prompt';
const NO_PROMPT: ChosenPrompt = { name: null, text: '' };

/**
 * Chooses the prompt of a request. A role that the model has no prompt for gets none, also if there is a default
 * prompt, which is for requests that say nothing.
 * @throws ApiError 400 `unknown_prompt`, `conflicting_prompts` or `instruction_not_supported`
 */
export function choosePrompt(card: Card, wishes: PromptWishes): ChosenPrompt {
  const { input_type: type, instruction, prompt_name: name } = wishes;
  if (instruction !== undefined) return instructed(card, instruction, wishes);
  if (name !== undefined && type !== undefined) {
    throw refusal(
      'conflicting_prompts',
      'prompt_name',
      'Send prompt_name or input_type, not both: each names a prompt.',
    );
  }
  if (name !== undefined) {
    if (Object.hasOwn(card.prompts, name)) return named(card, name);
    if (name === NO_PROMPT_NAME) return NO_PROMPT;
    throw unknown(card, 'prompt_name', name, [...new Set([...Object.keys(card.prompts), NO_PROMPT_NAME])]);
  }
  if (type !== undefined) {
    if (Object.hasOwn(card.prompts, type)) return named(card, type);
    const role = roleOf(type);
    if (role === null)
      throw unknown(card, 'input_type', type, [...new Set(['query', 'document', ...Object.keys(card.prompts)])]);
    return ofRole(card, role);
  }
  return card.defaultPrompt === undefined ? NO_PROMPT : named(card, card.defaultPrompt);
}

/** The value of `PROMPT_HEADER`: characters that a header cannot hold are percent-encoded. */
export function promptHeader(name: string | null): string {
  return (name ?? NO_PROMPT_NAME).toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}

function instructed(
  card: Card,
  instruction: string,
  { input_type: type, prompt_name: name }: PromptWishes,
): ChosenPrompt {
  if (name !== undefined || (type !== undefined && roleOf(type) !== 'query')) {
    const other = name === undefined ? 'input_type' : 'prompt_name';
    throw refusal(
      'conflicting_prompts',
      other,
      `Leave out ${other}: an instruction takes the place of the prompt, and only queries have one.`,
    );
  }
  if (card.instruction === undefined) {
    throw refusal(
      'instruction_not_supported',
      'instruction',
      `Model "${card.name}" takes no instructions; ${listed(Object.keys(card.prompts))}.`,
    );
  }
  // A function, since `$` has a meaning in a replacement string.
  return { name: INSTRUCTION_PROMPT_NAME, text: card.instruction.replace('{instruction}', () => instruction) };
}

function named({ prompts }: Card, name: string): ChosenPrompt {
  const text = prompts[name] ?? '';
  return text === '' ? NO_PROMPT : { name, text };
}

function ofRole(card: Card, role: Role): ChosenPrompt {
  const names = Object.keys(card.prompts);
  for (const word of WORDS[role]) {
    const name = names.find((one) => plain(one) === word);
    if (name !== undefined) return named(card, name);
  }
  return NO_PROMPT;
}

function roleOf(word: string): Role | null {
  const known = plain(word);
  return WORDS.query.includes(known) ? 'query' : WORDS.document.includes(known) ? 'document' : null;
}

/** `Retrieval-query`, `retrieval.query` and `RETRIEVAL_QUERY` are one word. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[-.\s]/g, '_');
}

function unknown(card: Card, param: string, value: string, known: readonly string[]): ApiError {
  const list = known.map((one) => JSON.stringify(one)).join(', ');
  const message = `${param} ${JSON.stringify(value)} is not known for model "${card.name}"; it can be ${list}.`;
  return refusal('unknown_prompt', param, message);
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'it has no prompts';
  return `it has the prompts ${names.map((name) => JSON.stringify(name)).join(', ')}`;
}

function refusal(code: string, param: string, message: string): ApiError {
  return new ApiError({ status: 400, code, param, message });
}
