import { hash } from 'node:crypto';
import { z } from 'zod';

/** Where a text longer than the model's limit loses tokens. */
export const truncationSideSchema = z.enum(['end', 'start', 'middle']);
export type TruncationSide = z.infer<typeof truncationSideSchema>;

/** The operation of specs that name none: 0.1.0 had no other. */
const FIRST_OPERATION = 'embed';

/**
 * A spec is everything that changes the bytes of an input's row. What is applied on the way out (`dimensions`,
 * normalisation, encoding) is no part of it.
 */
export const specSchema = z.object({
  operation: z.string().min(1).default(FIRST_OPERATION),
  /** The model's fingerprint: weights, tokenizer, manifest and dtype. */
  fingerprint: z.string().min(8),
  /** Put before the text as it is, before tokenising; empty for none. */
  prompt: z.string(),
  truncate: truncationSideSchema,
  /** Hash of the cache salt of those who share its entries; absent: everybody does. */
  salt: z.string().optional(),
});
export type Spec = z.infer<typeof specSchema>;

/**
 * 20 base64url characters (120 bits) that stand for a spec in key names. A fingerprint is longer than any operation's
 * name, so leaving out the first operation, as 0.1.0's cache entries do, is not ambiguous.
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

/** What stands for a cache salt in specs, which are seen by people; absent for none. */
export function saltOf(cacheSalt: string): Pick<Spec, 'salt'> {
  return cacheSalt === '' ? {} : { salt: hash('sha256', cacheSalt, 'base64url').slice(0, 20) };
}

/** 32 base64url characters (192 bits) that stand for an input's key in key names; collision-safe against chosen texts. */
export function inputHash(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, 32);
}
