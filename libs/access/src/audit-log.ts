import { type AuditEntry, auditEntrySchema, type Keys } from '#contracts';
import type { RedisClient } from '#store';

/** Entries kept, about. */
const MOST_ENTRIES = 10_000;

/** What operators did: a stream of bounded length in the queue's Redis. */
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

  /** Newest first. @param cursor `nextCursor` of the page before */
  async list(limit: number, cursor?: string): Promise<{ entries: AuditEntry[]; nextCursor: string | null }> {
    const newest = cursor === undefined ? '+' : `(${cursor}`;
    const found = await this.#redis.xrevrange(this.#keys.audit(), newest, '-', 'COUNT', limit);
    const entries = found.flatMap(([id, [, json]]) => {
      // The server's clock, ms, is the first part of an id.
      const at = Number(id.slice(0, id.indexOf('-'))) / 1000;
      const entry = auditEntrySchema.safeParse({ ...(JSON.parse(json ?? 'null') as object), id, at }).data;
      return entry === undefined ? [] : [entry];
    });
    return { entries, nextCursor: found.length < limit ? null : (found.at(-1)?.[0] ?? null) };
  }
}
