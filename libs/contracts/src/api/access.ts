import { z } from 'zod';

/**
 * What an API key may do. `embed`: POST /v1/embeddings, models. `jobs`: jobs and results of its tenant. `metrics`: GET
 * /metrics. `admin`: everything, including the jobs of all tenants and the dashboard.
 */
export const scopeSchema = z.enum(['embed', 'jobs', 'metrics', 'admin']);
export type Scope = z.infer<typeof scopeSchema>;
export const SCOPES = scopeSchema.options;

/** Jobs and results of one tenant are invisible to others. Cache entries are too, if its keys have a cache salt. */
export const tenantSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'use letters, digits and . _ - only');

/** A key's limits per minute, over all API processes; null: the deployment's default, if it has one. */
export const rateLimitsSchema = z.object({
  requestsPerMinute: z.int().positive().nullable(),
  tokensPerMinute: z.int().positive().nullable(),
});
export type RateLimits = z.infer<typeof rateLimitsSchema>;

/** What a rate limit counts. */
export type RateUnit = 'requests' | 'tokens';

/** A stored API key, without its hash. Times are epoch ms. */
export const apiKeyRecordSchema = z.object({
  /** Part of the key, but not secret. */
  id: z.string(),
  name: z.string(),
  tenant: tenantSchema,
  scopes: z.array(scopeSchema).min(1),
  limits: rateLimitsSchema,
  /** If not empty, hashed into cache keys: only API keys with the same salt share cache entries. */
  cacheSalt: z.string(),
  createdAt: z.int(),
  expiresAt: z.int().nullable(),
  revokedAt: z.int().nullable(),
  lastUsedAt: z.int().nullable(),
});
export type ApiKeyRecord = z.infer<typeof apiKeyRecordSchema>;

/** Who sent a request, and what they may do. */
export interface Caller {
  /** null when access control is off. */
  readonly keyId: string | null;
  /** `''` when access control is off. */
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly limits: RateLimits;
  readonly cacheSalt: string;
}

/** The caller of every request when access control is off. */
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

/** Whether the caller may see jobs and results of a tenant. */
export function maySee(caller: Caller, tenant: string): boolean {
  return caller.tenant === tenant || caller.scopes.includes('admin');
}

/** An element of `GET /admin/v1/keys`, and the response of `POST /admin/v1/keys`. Times are epoch seconds. */
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
  /** The key itself; only in the response of `POST /admin/v1/keys`. */
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

/** `GET /dashboard/session`: what the dashboard needs before it renders. */
export const sessionSchema = z.object({
  /** Whether API keys are required. */
  access_control: z.boolean(),
  signed_in: z.boolean(),
  /** Name of the key that signed in. */
  key_name: z.string().nullable(),
  /** Must be sent as `x-csrf-token` with every request that changes something; null when not signed in. */
  csrf_token: z.string().nullable(),
});
export type Session = z.infer<typeof sessionSchema>;
