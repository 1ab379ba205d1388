/** Bytes of UTF-8 that are a token, about: OpenAI's rule of thumb for English, and low for most other scripts. */
const TOKEN_BYTES = 4;

/**
 * Tokens that texts may have, before anybody has counted them.
 * @param mostTokens that the model takes of one text
 */
export function estimateTokens(texts: readonly string[], mostTokens: number): number {
  const estimate = (text: string) => Math.max(1, Math.ceil(Buffer.byteLength(text) / TOKEN_BYTES));
  return texts.reduce((sum, text) => sum + Math.min(mostTokens, estimate(text)), 0);
}
