/** Bytes of UTF-8 that are a token, about: OpenAI's rule of thumb for English, and low for most other scripts. */
const TOKEN_BYTES = 4;

/** Tokens that texts may have, before anybody has counted them. */
export function estimateTokens(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.max(1, Math.ceil(Buffer.byteLength(text) / TOKEN_BYTES)), 0);
}
