import { hash } from 'node:crypto';
import { z } from 'zod';

/** Where a text longer than the model's limit loses tokens. */
export const truncationSideSchema = z.enum(['end', 'start', 'middle']);
export type TruncationSide = z.infer<typeof truncationSideSchema>;

/**
 * An embedding spec is everything that changes the value of a text's raw pooled vector.
 * `dimensions`, normalisation and encoding are no part of it: they are applied on the way out.
 */
export const embeddingSpecSchema = z.object({
  /** The model's fingerprint: weights, tokenizer, manifest and dtype. */
  fingerprint: z.string().min(8),
  /** Put before the text as it is, before tokenising; empty for none. */
  prompt: z.string(),
  truncate: truncationSideSchema,
  /** Hash of the cache salt of those who share its entries; absent: everybody does. */
  salt: z.string().optional(),
});
export type EmbeddingSpec = z.infer<typeof embeddingSpecSchema>;

/** 20 base64url characters (120 bits) that stand for a spec in key names. */
export function specHash(spec: EmbeddingSpec): string {
  const parts = [spec.fingerprint, spec.prompt, spec.truncate, ...(spec.salt === undefined ? [] : [spec.salt])];
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 20);
}

/** What stands for a cache salt in specs, which are seen by people; absent for none. */
export function saltOf(cacheSalt: string): Pick<EmbeddingSpec, 'salt'> {
  return cacheSalt === '' ? {} : { salt: hash('sha256', cacheSalt, 'base64url').slice(0, 20) };
}

/** 32 base64url characters (192 bits) that stand for a text in key names; collision-safe against chosen texts. */
export function textHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 32);
}
