import type { ModelTexts } from '#contracts';
import type { Encoded, EncodeOptions, Tokenizer } from '#model';

/**
 * Tokenises every input. An input that cannot be tokenised, or at which the tokenizer is lost again and again, yields
 * an error in its place; the others are not affected.
 * @throws the tokenizer's error when it was lost at every one of several inputs: then it is not the inputs' fault
 */
export async function encodeEach(
  tokenizer: Tokenizer,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
): Promise<(Encoded | Error)[]> {
  const losses = new Set<Encoded | Error>();
  const encoded = await encodeHalves(tokenizer, inputs, options, losses);
  const first = encoded[0];
  if (first instanceof Error && encoded.length > 1 && encoded.every((one) => losses.has(one))) throw first;
  return encoded;
}

async function encodeHalves(
  tokenizer: Tokenizer,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
  losses: Set<Encoded | Error>,
): Promise<(Encoded | Error)[]> {
  try {
    return await tokenizer.encode(inputs, options);
  } catch {
    if (inputs.length === 1) return [await encodeOnceMore(tokenizer, inputs, options, losses)];
    const half = inputs.length >> 1;
    const first = await encodeHalves(tokenizer, inputs.slice(0, half), options, losses);
    return [...first, ...(await encodeHalves(tokenizer, inputs.slice(half), options, losses))];
  }
}

/** Retries a single input once: the tokenizer may have been lost at another call's input. */
async function encodeOnceMore(
  tokenizer: Tokenizer,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
  losses: Set<Encoded | Error>,
): Promise<Encoded | Error> {
  try {
    return (await tokenizer.encode(inputs, options))[0]!;
  } catch (error) {
    const loss = error instanceof Error ? error : new Error(String(error));
    losses.add(loss);
    return loss;
  }
}
