import type { ApiKeyObject, ApiKeyRecord, NewApiKey } from '#contracts';
import type { NewKey } from './api-keys.js';

/** A key's record for operators. @param key the key itself, only in the response to its creation */
export function viewKey(record: ApiKeyRecord, key?: string): ApiKeyObject {
  return {
    id: record.id,
    object: 'api_key',
    name: record.name,
    tenant: record.tenant,
    scopes: record.scopes,
    requests_per_minute: record.limits.requestsPerMinute,
    tokens_per_minute: record.limits.tokensPerMinute,
    created_at: epochSeconds(record.createdAt),
    expires_at: epochSeconds(record.expiresAt),
    revoked_at: epochSeconds(record.revokedAt),
    last_used_at: epochSeconds(record.lastUsedAt),
    ...(key === undefined ? {} : { key }),
  };
}

/** The new key that a request describes. */
export function newKeyOf(wanted: NewApiKey): NewKey {
  const { name, tenant, scopes, expires_in_seconds: seconds, cache_salt: cacheSalt } = wanted;
  return {
    name,
    tenant,
    scopes,
    cacheSalt,
    limits: {
      requestsPerMinute: wanted.requests_per_minute ?? null,
      tokensPerMinute: wanted.tokens_per_minute ?? null,
    },
    expiresAt: seconds === undefined ? null : Date.now() + seconds * 1000,
  };
}

function epochSeconds<T extends number | null>(ms: T): T {
  return (ms === null ? null : Math.floor(ms / 1000)) as T;
}
