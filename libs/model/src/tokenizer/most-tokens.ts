/** More special tokens than tokenizers put around a text, and the one that some put before its first word. */
const SPECIAL_TOKENS = 8;

/**
 * A bound of a text's tokens, special tokens included, that needs no tokenizer: a token has at least one byte, and
 * normalizers make a text no longer than its compatibility decomposition.
 */
export function mostTokens(text: string): number {
  return Math.max(Buffer.byteLength(text), Buffer.byteLength(text.normalize('NFKD'))) + SPECIAL_TOKENS;
}
