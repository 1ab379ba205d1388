import { hash, timingSafeEqual } from 'node:crypto';
import { accessControl, type Environment } from '#config';
import { ANYBODY, type ApiKeyRecord, type Caller, mayAct, type Scope } from '#contracts';
import { LRUCache } from 'lru-cache';
import type { ApiKeys } from './api-keys.js';
import { expiredKey, invalidKey, missingKey, missingScope, revokedKey } from './key-refused.js';

/** How long a key's record is cached, ms: within this time a revoked key is refused by every process. */
const KNOWN_MS = 3000;
const MOST_KNOWN = 10_000;
/** Resolution of `lastUsedAt`, ms. */
const TOUCH_MS = 60_000;

/** Prefix of the id of the key in `EMBED_ADMIN_KEY`. */
const ENVIRONMENT_KEY = 'environment';

/** Finds the caller of an API key. Verified keys are cached for `KNOWN_MS`. */
export class Authenticator {
  /** Whether API keys are required. */
  readonly on: boolean;
  readonly #keys: ApiKeys;
  readonly #adminKey: { readonly hash: Buffer; readonly caller: Caller } | null;
  readonly #known = new LRUCache<string, ApiKeyRecord>({ max: MOST_KNOWN, ttl: KNOWN_MS });
  readonly #touched = new LRUCache<string, true>({ max: MOST_KNOWN, ttl: TOUCH_MS });

  constructor(keys: ApiKeys, environment: Environment) {
    const { EMBED_ADMIN_KEY: adminKey } = environment;
    this.on = accessControl(environment).on;
    this.#keys = keys;
    this.#adminKey = adminKey === undefined ? null : { hash: digest(adminKey), caller: environmentCaller(adminKey) };
  }

  /**
   * The caller of a request with this `Authorization` header.
   * @throws KeyRefusedError when there is no valid key, or it lacks the scope
   */
  async require(authorization: string | undefined, scope: Scope): Promise<Caller> {
    const key = bearerOf(authorization);
    if (key === null) throw missingKey();
    return requireScope(await this.callerOfKey(key), scope);
  }

  /** @throws KeyRefusedError when the key is unknown, revoked or expired */
  async callerOfKey(key: string): Promise<Caller> {
    const hashed = digest(key);
    if (this.#adminKey !== null && timingSafeEqual(hashed, this.#adminKey.hash)) return this.#adminKey.caller;
    // Cached by the hash of the whole key, so only keys with the right secret are found.
    const at = hashed.toString('base64url');
    let record = this.#known.get(at) ?? null;
    if (record === null) {
      record = await this.#keys.verify(key);
      if (record === null) throw invalidKey();
      this.#known.set(at, record);
    }
    return this.#use(record);
  }

  /** The caller of a key given by its id, as in a session. @throws KeyRefusedError like `callerOfKey` */
  async callerOfKeyId(id: string): Promise<Caller> {
    if (id === this.#adminKey?.caller.keyId) return this.#adminKey.caller;
    const record = await this.#keys.get(id);
    if (record === null) throw invalidKey();
    return this.#use(record);
  }

  /** Empties the cache, so that a key revoked through this process is refused here at once. */
  forget(): void {
    this.#known.clear();
  }

  #use(record: ApiKeyRecord): Caller {
    if (record.revokedAt !== null) throw revokedKey();
    if (record.expiresAt !== null && record.expiresAt <= Date.now()) throw expiredKey(record.expiresAt);
    if (!this.#touched.has(record.id)) {
      this.#touched.set(record.id, true);
      // Only shows operators which keys are in use: nothing depends on it, so a failure is ignored.
      this.#keys.touch(record.id).catch(() => undefined);
    }
    const { id: keyId, tenant, scopes, limits, cacheSalt } = record;
    return { keyId, tenant, scopes, limits, cacheSalt };
  }
}

/** The bearer token of an `Authorization` header; null when there is none. */
export function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** @throws KeyRefusedError `insufficient_scope` */
export function requireScope(caller: Caller, scope: Scope): Caller {
  if (!mayAct(caller, scope)) throw missingScope(scope, caller.scopes);
  return caller;
}

/** The id depends on the key, so that replacing the key ends the sessions of the old one. */
function environmentCaller(adminKey: string): Caller {
  const mark = digest(`id of ${adminKey}`).toString('hex').slice(0, 8);
  return { ...ANYBODY, keyId: `${ENVIRONMENT_KEY}-${mark}`, tenant: 'default', scopes: ['admin'] };
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
