import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type ApiKeyRecord, apiKeyRecordSchema, type Keys } from '#contracts';
import type { RedisClient } from '#store';

/** What the caller chooses for a new key. */
export type NewKey = Pick<ApiKeyRecord, 'name' | 'tenant' | 'scopes' | 'limits' | 'cacheSalt' | 'expiresAt'>;

const ID_BYTES = 9;
const SECRET_BYTES = 32;
const TOKEN = /^em_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/;
/** Stands in for the hash of an unknown key, so that the comparison takes the same time. */
const UNKNOWN_KEY_HASH = Buffer.alloc(32);

/** Whether a text contains anything that looks like an API key, valid or not. */
export function holdsKey(text: string): boolean {
  return /em_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}/.test(text);
}

/**
 * API keys in the queue's Redis. A key is `em_<id>_<secret>`: the id is not secret, the secret is 256 random bits. Only
 * the SHA-256 of the key is stored; with so much entropy a slow password hash would add no protection.
 */
export class ApiKeys {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @returns the record, and the key itself, which cannot be read again */
  async create(wanted: NewKey): Promise<{ record: ApiKeyRecord; key: string }> {
    const id = newId();
    const key = `em_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const record: ApiKeyRecord = { ...wanted, id, createdAt: Date.now(), revokedAt: null, lastUsedAt: null };
    const { revokedAt: _never, lastUsedAt: _unused, ...kept } = record;
    // Listed first, so that operators can see every key that works.
    await this.#redis.zadd(this.#keys.apiKeys(), record.createdAt, id);
    await this.#redis.hset(this.#keys.apiKey(id), { record: JSON.stringify(kept), hash: digest(key).toString('hex') });
    return { record, key };
  }

  /** null when no key has this id. */
  async get(id: string): Promise<ApiKeyRecord | null> {
    return (await this.#read(id))?.record ?? null;
  }

  /** All keys, newest first, including revoked and expired ones. */
  async list(): Promise<ApiKeyRecord[]> {
    const ids = await this.#redis.zrange(this.#keys.apiKeys(), '+inf', '-inf', 'BYSCORE', 'REV');
    const records = await Promise.all(ids.map((id) => this.get(id)));
    return records.filter((record) => record !== null);
  }

  /** The record of a key if its secret is right, even if it is revoked or expired; else null. */
  async verify(key: string): Promise<ApiKeyRecord | null> {
    const id = TOKEN.exec(key)?.[1];
    const found = id === undefined ? null : await this.#read(id);
    const right = timingSafeEqual(digest(key), found?.hash ?? UNKNOWN_KEY_HASH);
    return right && found !== null ? found.record : null;
  }

  /** @returns the record after the revocation; null when no key has this id */
  async revoke(id: string): Promise<ApiKeyRecord | null> {
    const key = this.#keys.apiKey(id);
    if ((await this.#redis.exists(key)) === 0) return null;
    await this.#redis.hsetnx(key, 'revokedAt', Date.now());
    return this.get(id);
  }

  /** Sets `lastUsedAt` to now. */
  async touch(id: string): Promise<void> {
    await this.#redis.hset(this.#keys.apiKey(id), 'lastUsedAt', Date.now());
  }

  async #read(id: string): Promise<{ record: ApiKeyRecord; hash: Buffer } | null> {
    const fields = await this.#redis.hgetall(this.#keys.apiKey(id));
    if (fields['record'] === undefined || fields['hash'] === undefined) return null;
    const time = (name: string) => (fields[name] === undefined ? null : Number(fields[name]));
    const record = apiKeyRecordSchema.parse({
      ...(JSON.parse(fields['record']) as object),
      revokedAt: time('revokedAt'),
      lastUsedAt: time('lastUsedAt'),
    });
    return { record, hash: Buffer.from(fields['hash'], 'hex') };
  }
}

/** 12 letters and digits. */
function newId(): string {
  for (;;) {
    const id = randomBytes(ID_BYTES).toString('base64url');
    if (/^[A-Za-z0-9]{12}$/.test(id)) return id;
  }
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
