import { ApiError, type EmbeddingsRequest } from '#contracts';
import { faultOfText } from './check-text.js';
import { decodeCl100k } from './cl100k.js';
import { Inputs } from './inputs.js';

export interface InputLimits {
  /** Inputs of one request; null: no limit but that of the body. */
  readonly maxInputs: number | null;
  /** UTF-8. */
  readonly maxTextBytes: number;
}

/**
 * Reads every form of `input`: a text, a list of texts, one text as token ids, or a list of those. Lone surrogates
 * become U+FFFD, since UTF-8 cannot encode them.
 * @throws ApiError 400 naming the field, the limit and the value
 */
export async function readInput(input: EmbeddingsRequest['input'], limits: InputLimits): Promise<Inputs> {
  if (input.length === 0 && typeof input !== 'string') throw refused('empty_input', 'input', 'is an empty list');
  const alone = typeof input === 'string' || typeof input[0] === 'number';
  const count = alone ? 1 : input.length;
  if (limits.maxInputs !== null && count > limits.maxInputs) {
    throw refused(
      'too_many_inputs',
      'input',
      `has ${count} items, more than the ${limits.maxInputs} of one request (EMBED_MAX_INPUTS); POST /v1/jobs takes any number`,
    );
  }
  const texts = await textsOf(input, limits, (index) => (alone ? 'input' : `input[${index}]`));
  const inputs = new Inputs(texts, { alone });
  for (const [index, text] of texts.entries()) {
    const fault = faultOfText(text, limits.maxTextBytes);
    if (fault !== null) throw refused(fault.code, inputs.param(index), fault.problem);
  }
  return inputs;
}

async function textsOf(
  input: EmbeddingsRequest['input'],
  { maxTextBytes }: InputLimits,
  paramOf: (index: number) => string,
): Promise<string[]> {
  if (typeof input === 'string') return [input.toWellFormed()];
  if (typeof input[0] === 'string') return (input as string[]).map((text) => text.toWellFormed());
  const lists = typeof input[0] === 'number' ? [input as number[]] : (input as number[][]);
  for (const [index, ids] of lists.entries()) {
    if (ids.length === 0) throw refused('empty_text', paramOf(index), 'is an empty list of token ids');
    // A token is at least one byte, so this list is too long whatever it decodes to.
    if (ids.length > maxTextBytes) {
      throw refused(
        'text_too_large',
        paramOf(index),
        `has ${ids.length} token ids, more than the ${maxTextBytes} bytes of one text (EMBED_MAX_TEXT_BYTES)`,
      );
    }
  }
  return decodeCl100k(lists, paramOf);
}

function refused(code: string, param: string, problem: string): ApiError {
  return new ApiError({ status: 400, code, param, message: `${param} ${problem}.` });
}
