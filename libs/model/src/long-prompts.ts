import { mostTokens } from './tokenizer/most-tokens.js';
import { TokenizerThread } from './tokenizer/tokenizer-thread.js';
import type { TokenizerFiles } from './types.js';

/**
 * A warning for each of a model's prompts that leaves a text no room. The tokenizer is started only for prompts that are
 * long enough to matter.
 * @throws BootError when the tokenizer's files cannot be used
 */
export async function longPrompts(
  prompts: Readonly<Record<string, string>>,
  maxTokens: number,
  files: TokenizerFiles,
  source: string,
): Promise<string[]> {
  const long = Object.entries(prompts).filter(([, text]) => text !== '' && mostTokens(text) >= maxTokens);
  if (long.length === 0) return [];
  const tokenizer = await TokenizerThread.start(files);
  try {
    const inputs = long.map(([, text]) => [text] as const);
    const encoded = await tokenizer.encode(inputs, { prompt: '', truncate: 'end', maxTokens });
    return long.flatMap(([name], n) => {
      const one = encoded[n]!;
      if (one instanceof Error || one.length < maxTokens) return [];
      const count = `${one.lengthIsLowerBound === true ? 'at least ' : ''}${one.length}`;
      return [
        `${source}: the prompt "${name}" has ${count} tokens with the special tokens, which leaves a text no room ` +
          `(the model takes ${maxTokens}): requests with it are refused`,
      ];
    });
  } finally {
    await tokenizer.close();
  }
}
