import { ApiError, type ModelCard, type TextError } from '#contracts';

/** A text over the model's limit, as an error that says what to do. @param what the text: `input[3]` */
export function tooLong(what: string, tokens: number, card: ModelCard): TextError {
  return {
    code: 'text_too_long',
    message:
      `${what} has ${tokens} tokens, more than the ${card.maxTokens} that model "${card.name}" takes. ` +
      'Shorten it, or let it be cut with truncate "end", "start" or "middle".',
  };
}

/** The same as the answer to a request. */
export function textTooLong(param: string, tokens: number, card: ModelCard): ApiError {
  return new ApiError({ status: 400, param, ...tooLong(param, tokens, card) });
}
