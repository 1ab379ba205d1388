import { hash } from 'node:crypto';
import { z } from 'zod';

/** Where tokens are cut from a text that exceeds the model's limit. */
export const truncationSideSchema = z.enum(['end', 'start', 'middle']);
export type TruncationSide = z.infer<typeof truncationSideSchema>;

/** Default operation of specs without one: 0.1.0 had no other. */
const FIRST_OPERATION = 'embed';

/**
 * A spec is everything that, besides the input, determines the bytes of a row. Output options (`dimensions`,
 * normalisation, encoding) are applied to the row later and are not part of it.
 */
export const specSchema = z.object({
  operation: z.string().min(1).default(FIRST_OPERATION),
  /** The model's fingerprint: weights, tokenizer, manifest and dtype. */
  fingerprint: z.string().min(8),
  /** Prepended unchanged to the text before tokenising; empty for none. */
  prompt: z.string(),
  truncate: truncationSideSchema,
  /** Hash of the API key's cache salt; only keys with the same salt share cache entries. Absent: no salt. */
  salt: z.string().optional(),
});
export type Spec = z.infer<typeof specSchema>;

/**
 * Hash of a spec for key names: SHA-256, 20 base64url characters (120 bits). The operation `embed` is left out, so that
 * cache entries of 0.1.0 stay valid; this is unambiguous because a fingerprint is longer than any operation's name.
 */
export function specHash({ operation, fingerprint, prompt, truncate, salt }: Spec): string {
  const parts = [
    ...(operation === FIRST_OPERATION ? [] : [operation]),
    fingerprint,
    prompt,
    truncate,
    ...(salt === undefined ? [] : [salt]),
  ];
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 20);
}

/** The `salt` member of a spec: hashed, because specs are shown to operators. Empty for no salt. */
export function saltOf(cacheSalt: string): Pick<Spec, 'salt'> {
  return cacheSalt === '' ? {} : { salt: hash('sha256', cacheSalt, 'base64url').slice(0, 20) };
}

/**
 * Hash of an input's key for key names: SHA-256, 32 base64url characters (192 bits), so that nobody can construct
 * texts that collide.
 */
export function inputHash(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, 32);
}
