import type { ModelTexts } from '#contracts';
import type { Encoded, EncodeOptions, Tokenizer } from '#model';

/**
 * Tokenises every input. An input that cannot be tokenised yields an error in its place; the others are not affected.
 * @throws the tokenizer's error when none of several inputs can be tokenised: then the tokenizer itself is at fault
 */
export async function encodeEach(
  tokenizer: Tokenizer,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
): Promise<(Encoded | Error)[]> {
  const encoded = await encodeHalves(tokenizer, inputs, options);
  const first = encoded[0];
  if (first instanceof Error && encoded.length > 1 && encoded.every((one) => one instanceof Error)) throw first;
  return encoded;
}

async function encodeHalves(
  tokenizer: Tokenizer,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
): Promise<(Encoded | Error)[]> {
  try {
    return await tokenizer.encode(inputs, options);
  } catch {
    if (inputs.length === 1) return [await encodeOnceMore(tokenizer, inputs, options)];
    const half = inputs.length >> 1;
    const first = await encodeHalves(tokenizer, inputs.slice(0, half), options);
    return [...first, ...(await encodeHalves(tokenizer, inputs.slice(half), options))];
  }
}

/** Retries a single input once: the first failure may have been the tokenizer's, caused by another input. */
async function encodeOnceMore(
  tokenizer: Tokenizer,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
): Promise<Encoded | Error> {
  try {
    return (await tokenizer.encode(inputs, options))[0]!;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
