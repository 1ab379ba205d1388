import type { ModelTexts } from '#contracts';
import type { Encoded, EncodeOptions, Tokenizer } from '#model';

/**
 * Tokenises every input; one that cannot be tokenised gives its error in its place and spares its neighbours.
 * @throws what the tokenizer threw when it can tokenise none of several inputs: the fault is its own then.
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

/** A lone input gets a second chance: its tokenizer may have died of another one. */
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
