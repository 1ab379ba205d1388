import { hash, timingSafeEqual } from 'node:crypto';
import { accessControl, type Environment } from '#config';
import { ANYBODY, type ApiKeyRecord, type Caller, mayAct, type Scope } from '#contracts';
import { LRUCache } from 'lru-cache';
import type { ApiKeys } from './api-keys.js';
import { expiredKey, invalidKey, missingKey, missingScope, revokedKey } from './key-refused.js';

/** A revoked key is refused everywhere after so long, ms. */
const KNOWN_MS = 3000;
const MOST_KNOWN = 10_000;
/** How exactly it is kept when a key was last used, ms. */
const TOUCH_MS = 60_000;

/** Beginning of the id of the key that stands in `EMBED_ADMIN_KEY`. */
const ENVIRONMENT_KEY = 'environment';

/** Tells who holds a key. Asks Redis at most every few seconds for each key. */
export class Authenticator {
  /** Whether keys are asked for. */
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
   * Who sends a header `Authorization`, and may do what is asked for.
   * @throws KeyRefusedError
   */
  async require(authorization: string | undefined, scope: Scope): Promise<Caller> {
    const key = bearerOf(authorization);
    if (key === null) throw missingKey();
    return requireScope(await this.callerOfKey(key), scope);
  }

  /** @throws KeyRefusedError for a key that is none, or no more */
  async callerOfKey(key: string): Promise<Caller> {
    const hashed = digest(key);
    if (this.#adminKey !== null && timingSafeEqual(hashed, this.#adminKey.hash)) return this.#adminKey.caller;
    // By the hash of the whole key: only one that was right before is known.
    const at = hashed.toString('base64url');
    let record = this.#known.get(at) ?? null;
    if (record === null) {
      record = await this.#keys.verify(key);
      if (record === null) throw invalidKey();
      this.#known.set(at, record);
    }
    return this.#use(record);
  }

  /** Of a key known by its id, as a session's. @throws KeyRefusedError when it is no more */
  async callerOfKeyId(id: string): Promise<Caller> {
    if (id === this.#adminKey?.caller.keyId) return this.#adminKey.caller;
    const record = await this.#keys.get(id);
    if (record === null) throw invalidKey();
    return this.#use(record);
  }

  /** Takes note at once of a key that was revoked here. */
  forget(): void {
    this.#known.clear();
  }

  #use(record: ApiKeyRecord): Caller {
    if (record.revokedAt !== null) throw revokedKey();
    if (record.expiresAt !== null && record.expiresAt <= Date.now()) throw expiredKey(record.expiresAt);
    if (!this.#touched.has(record.id)) {
      this.#touched.set(record.id, true);
      // For people to see which keys are in use; nothing depends on it.
      this.#keys.touch(record.id).catch(() => undefined);
    }
    const { id: keyId, tenant, scopes, limits, cacheSalt } = record;
    return { keyId, tenant, scopes, limits, cacheSalt };
  }
}

/** What is sent as a bearer token; null when nothing is. */
export function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** @throws KeyRefusedError `insufficient_scope` */
export function requireScope(caller: Caller, scope: Scope): Caller {
  if (!mayAct(caller, scope)) throw missingScope(scope, caller.scopes);
  return caller;
}

/** Another key has another id, so that the sessions of one that was replaced end with it. */
function environmentCaller(adminKey: string): Caller {
  const mark = digest(`id of ${adminKey}`).toString('hex').slice(0, 8);
  return { ...ANYBODY, keyId: `${ENVIRONMENT_KEY}-${mark}`, tenant: 'default', scopes: ['admin'] };
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
