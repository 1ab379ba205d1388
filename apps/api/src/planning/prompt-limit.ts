import { ApiError, type Lane, type ModelCard } from '#contracts';
import { mostTokens } from '#model';
import type { TokenCount } from '../input/too-long.js';
import type { ChosenPrompt, PromptWishes } from './prompt-choice.js';

/** Counts a text's tokens, special tokens included; null when this process cannot. */
export interface TokenCounter {
  count(card: ModelCard, lane: Lane, text: string): Promise<TokenCount | null>;
}

/** Refuses prompts that leave a text no room: every text would get the same vector. */
export class PromptLimit {
  readonly #tokens: TokenCounter;

  constructor(tokens: TokenCounter) {
    this.#tokens = tokens;
  }

  /**
   * Counts tokens only of a prompt that is long enough to matter. One that this process cannot count is left to the
   * worker, which refuses its texts under the same code.
   * @throws ApiError 400 `prompt_too_long`
   */
  async require(card: ModelCard, { text }: ChosenPrompt, wishes: PromptWishes, lane: Lane): Promise<void> {
    if (text === '' || mostTokens(text) < card.maxTokens) return;
    const count = await this.#tokens.count(card, lane, text);
    if (count !== null && count.tokens >= card.maxTokens) throw promptTooLong(card, wishes, count);
  }
}

function promptTooLong(card: ModelCard, wishes: PromptWishes, { isLowerBound, tokens }: TokenCount): ApiError {
  const param = fieldOf(wishes);
  const whose = wishes[param] === undefined ? "The model's default prompt" : `The prompt of ${param}`;
  return new ApiError({
    status: 400,
    code: 'prompt_too_long',
    param,
    message:
      `${whose} has ${isLowerBound ? 'at least ' : ''}${tokens} tokens with the special tokens, which leaves a text no ` +
      `room: model "${card.name}" takes ${card.maxTokens}. ` +
      (param === 'instruction' ? 'Shorten the instruction.' : 'Use another prompt_name, or "none".'),
  });
}

/** The member that chose the prompt, or that can choose another in place of the default. */
function fieldOf({ input_type: type, instruction }: PromptWishes): keyof PromptWishes {
  if (instruction !== undefined) return 'instruction';
  return type === undefined ? 'prompt_name' : 'input_type';
}
