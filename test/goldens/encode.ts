import type { ModelTexts } from '#contracts';
import { type Encoded, type EncodeOptions, type TokenizerFiles, TokenizerThread } from '#model';

/** Token ids by the tokenizer that serves. @throws what is wrong with the first text that cannot be tokenised */
export async function encode(
  files: TokenizerFiles,
  inputs: readonly ModelTexts[],
  options: EncodeOptions,
): Promise<Encoded[]> {
  const tokenizer = await TokenizerThread.start(files);
  try {
    const encoded: readonly (Encoded | Error)[] = await tokenizer.encode(inputs, options);
    return encoded.map((one) => {
      if (one instanceof Error) throw one;
      return one;
    });
  } finally {
    await tokenizer.close();
  }
}
