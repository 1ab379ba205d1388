import type { ModelTexts } from '#contracts';
import type { Encoded, EncodeOptions, Tokenizer } from './tokenizer.js';

/** Encodes inputs none of which may fail. */
export async function encodeAll(
  tokenizer: Tokenizer,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
): Promise<Encoded[]> {
  const encoded = await tokenizer.encode(inputs, options);
  return encoded.map((one) => {
    if (one instanceof Error) throw one;
    return one;
  });
}
