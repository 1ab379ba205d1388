import { z } from 'zod';

/**
 * What a key may do. `embed`: POST /v1/embeddings, models. `jobs`: its tenant's jobs and results. `metrics`: GET
 * /metrics. `admin`: everything, every tenant's jobs included, and the dashboard.
 */
export const scopeSchema = z.enum(['embed', 'jobs', 'metrics', 'admin']);
export type Scope = z.infer<typeof scopeSchema>;
export const SCOPES = scopeSchema.options;

/** Jobs, results and, with a salt, cache entries of one tenant are nobody else's. */
export const tenantSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'use letters, digits and . _ - only');

/** Per minute; null for no limit. Shared by all API processes. */
export const rateLimitsSchema = z.object({
  requestsPerMinute: z.int().positive().nullable(),
  tokensPerMinute: z.int().positive().nullable(),
});
export type RateLimits = z.infer<typeof rateLimitsSchema>;

/** What is counted against a limit. */
export type RateUnit = 'requests' | 'tokens';

/** A key as the store keeps it, less its secret, of which only a hash is kept. Times are epoch ms. */
export const apiKeyRecordSchema = z.object({
  /** Part of the key itself, and no secret. */
  id: z.string(),
  name: z.string(),
  tenant: tenantSchema,
  scopes: z.array(scopeSchema).min(1),
  limits: rateLimitsSchema,
  /** Hashed into the cache keys of its texts when not empty: entries are shared only among keys with the same salt. */
  cacheSalt: z.string(),
  createdAt: z.int(),
  expiresAt: z.int().nullable(),
  revokedAt: z.int().nullable(),
  lastUsedAt: z.int().nullable(),
});
export type ApiKeyRecord = z.infer<typeof apiKeyRecordSchema>;

/** Who a request comes from. */
export interface Caller {
  /** null: no key is asked for. */
  readonly keyId: string | null;
  /** `''` when no key is asked for. */
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly limits: RateLimits;
  readonly cacheSalt: string;
}

/** Everybody, where access control is off. */
export const ANYBODY: Caller = {
  keyId: null,
  tenant: '',
  scopes: SCOPES,
  limits: { requestsPerMinute: null, tokensPerMinute: null },
  cacheSalt: '',
};

export function mayAct(caller: Caller, scope: Scope): boolean {
  return caller.scopes.includes(scope) || caller.scopes.includes('admin');
}

/** Whether the caller may know of a tenant's work at all. */
export function maySee(caller: Caller, tenant: string): boolean {
  return caller.tenant === tenant || caller.scopes.includes('admin');
}

/** `GET /admin/v1/keys`, and with the key itself, once, `POST /admin/v1/keys`. Times are epoch seconds. */
export const apiKeyObjectSchema = z.object({
  id: z.string(),
  object: z.literal('api_key'),
  name: z.string(),
  tenant: z.string(),
  scopes: z.array(scopeSchema),
  requests_per_minute: z.int().nullable(),
  tokens_per_minute: z.int().nullable(),
  created_at: z.int(),
  expires_at: z.int().nullable(),
  revoked_at: z.int().nullable(),
  last_used_at: z.int().nullable(),
  /** Only in the answer to its creation. */
  key: z.string().optional(),
});
export type ApiKeyObject = z.infer<typeof apiKeyObjectSchema>;

export const apiKeyListSchema = z.object({ object: z.literal('list'), data: z.array(apiKeyObjectSchema) });
export type ApiKeyList = z.infer<typeof apiKeyListSchema>;

/** Body of `POST /admin/v1/keys`. */
export const newApiKeySchema = z.object({
  name: z.string().min(1).max(100),
  tenant: tenantSchema.default('default'),
  scopes: z.array(scopeSchema).min(1).default(['embed', 'jobs']),
  expires_in_seconds: z.int().positive().optional(),
  requests_per_minute: z.int().positive().optional(),
  tokens_per_minute: z.int().positive().optional(),
  cache_salt: z.string().max(200).default(''),
});
export type NewApiKey = z.output<typeof newApiKeySchema>;

/** Body of `POST /dashboard/session`. */
export const signInSchema = z.object({ key: z.string().min(1).max(200) });

/** `GET /dashboard/session`: what the dashboard must know before it shows anything. */
export const sessionSchema = z.object({
  /** Whether a key is asked for at all. */
  access_control: z.boolean(),
  signed_in: z.boolean(),
  /** Of the key signed in with. */
  key_name: z.string().nullable(),
  /** To send as `x-csrf-token` with everything that changes something; null when not signed in. */
  csrf_token: z.string().nullable(),
});
export type Session = z.infer<typeof sessionSchema>;
