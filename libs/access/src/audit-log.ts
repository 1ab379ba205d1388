import { type AuditEntry, auditEntrySchema, type Keys } from '#contracts';
import type { RedisClient } from '#store';

/** Approximate number of entries kept. */
const MOST_ENTRIES = 10_000;

/** Actions of operators: a stream of bounded length in the queue's Redis. */
export class AuditLog {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async append(entry: Omit<AuditEntry, 'id' | 'at'>): Promise<void> {
    const json = JSON.stringify(entry);
    await this.#redis.xadd(this.#keys.audit(), 'MAXLEN', '~', MOST_ENTRIES, '*', 'entry', json);
  }

  /** One page, newest first. @param cursor `nextCursor` of the previous page */
  async list(limit: number, cursor?: string): Promise<{ entries: AuditEntry[]; nextCursor: string | null }> {
    const newest = cursor === undefined ? '+' : `(${cursor}`;
    const found = await this.#redis.xrevrange(this.#keys.audit(), newest, '-', 'COUNT', limit);
    const entries = found.flatMap(([id, [, json]]) => {
      // The first part of a stream id is the Redis server's clock, ms.
      const at = Number(id.slice(0, id.indexOf('-'))) / 1000;
      const entry = auditEntrySchema.safeParse({ ...(JSON.parse(json ?? 'null') as object), id, at }).data;
      return entry === undefined ? [] : [entry];
    });
    return { entries, nextCursor: found.length < limit ? null : (found.at(-1)?.[0] ?? null) };
  }
}
