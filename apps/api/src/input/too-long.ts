import { ApiError, type ModelCard, type TextError } from '#contracts';

/** The length of a text in tokens. A very long text is not counted to its end. */
export interface TokenCount {
  readonly tokens: number;
  readonly isLowerBound: boolean;
}

/** The error of a text over the model's token limit. @param what names the text, for example `input[3]` */
export function tooLong(what: string, { tokens, isLowerBound }: TokenCount, card: ModelCard): TextError {
  return {
    code: 'text_too_long',
    message:
      `${what} has ${isLowerBound ? 'at least ' : ''}${tokens} tokens, more than the ${card.maxTokens} that model "${card.name}" takes. ` +
      'Shorten it, or let it be cut with truncate "end", "start" or "middle".',
  };
}

/** The same error as the response to a request. */
export function textTooLong(param: string, count: TokenCount, card: ModelCard): ApiError {
  return new ApiError({ status: 400, param, ...tooLong(param, count, card) });
}
