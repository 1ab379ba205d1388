import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type ApiKeyRecord, apiKeyRecordSchema, type Keys } from '#contracts';
import type { RedisClient } from '#store';

/** What is asked of a new key. */
export type NewKey = Pick<ApiKeyRecord, 'name' | 'tenant' | 'scopes' | 'limits' | 'cacheSalt' | 'expiresAt'>;

const ID_BYTES = 9;
const SECRET_BYTES = 32;
const TOKEN = /^em_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/;
/** Compared with when there is no such key, so that this takes as long. */
const NOBODY = Buffer.alloc(32);

/** Whether something that looks like one of our keys, valid or not, stands anywhere in a text. */
export function holdsKey(text: string): boolean {
  return /em_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}/.test(text);
}

/**
 * API keys in the queue's Redis. A key is `em_<id>_<secret>`; its id is no secret, and of the secret (256 random bits)
 * only SHA-256 is kept: with so much entropy a slow hash would protect nothing more.
 */
export class ApiKeys {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @returns the record, and the key itself, which cannot be had again */
  async create(wanted: NewKey): Promise<{ record: ApiKeyRecord; key: string }> {
    const id = newId();
    const key = `em_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const record: ApiKeyRecord = { ...wanted, id, createdAt: Date.now(), revokedAt: null, lastUsedAt: null };
    const { revokedAt: _never, lastUsedAt: _unused, ...kept } = record;
    // Listed first: no key works that operators cannot see.
    await this.#redis.zadd(this.#keys.apiKeys(), record.createdAt, id);
    await this.#redis.hset(this.#keys.apiKey(id), { record: JSON.stringify(kept), hash: digest(key).toString('hex') });
    return { record, key };
  }

  /** null when there is none of this id. */
  async get(id: string): Promise<ApiKeyRecord | null> {
    return (await this.#read(id))?.record ?? null;
  }

  /** Newest first, revoked and expired ones included. */
  async list(): Promise<ApiKeyRecord[]> {
    const ids = await this.#redis.zrange(this.#keys.apiKeys(), '+inf', '-inf', 'BYSCORE', 'REV');
    const records = await Promise.all(ids.map((id) => this.get(id)));
    return records.filter((record) => record !== null);
  }

  /** The record of a key whose secret is right, revoked or expired as it may be; null for any other text. */
  async verify(key: string): Promise<ApiKeyRecord | null> {
    const id = TOKEN.exec(key)?.[1];
    const found = id === undefined ? null : await this.#read(id);
    const right = timingSafeEqual(digest(key), found?.hash ?? NOBODY);
    return right && found !== null ? found.record : null;
  }

  /** @returns the record as it is now; null when there is none of this id */
  async revoke(id: string): Promise<ApiKeyRecord | null> {
    const key = this.#keys.apiKey(id);
    if ((await this.#redis.exists(key)) === 0) return null;
    await this.#redis.hsetnx(key, 'revokedAt', Date.now());
    return this.get(id);
  }

  /** Notes that a key was used. */
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
