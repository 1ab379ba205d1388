import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec } from '../redis/exec.js';

/** Oldest ids checked each time a job is added; more than one, so that expired ids do not accumulate. */
const PRUNED_AT_ONCE = 4;

/** A job id in a list, and when the job was created, epoch ms. */
export type ListedId = readonly [id: string, createdAt: number];

/** Where a page of a list begins: after the id `after`, among the jobs created at `from` or earlier. */
export interface ListPlace {
  /** Epoch ms, or `+inf`. */
  readonly from: string;
  readonly after: string | null;
}

/** The lists of job ids: all jobs, the jobs of each tenant, and the unfinished jobs. */
export class JobIndex {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Adds a new job. Its record must exist already: an id without a record counts as expired. */
  async add(id: string, tenant: string, now: number, ttlMs: number): Promise<void> {
    const lists = new Set([this.#keys.jobs(), this.#keys.jobs(tenant)]);
    await Promise.all([
      exec(
        this.#redis,
        [this.#keys.activeJobs(), ...lists].map((list) => ['zadd', list, now, id]),
      ),
      ...[...lists].map((list) => this.#prune(list, now - ttlMs)),
    ]);
  }

  /** Removes jobs from the unfinished ones. */
  async leaveActive(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#redis.zrem(this.#keys.activeJobs(), ...ids);
  }

  /** Adds a completed job to the unfinished ones again. */
  async enterActive(id: string, createdAt: number): Promise<void> {
    await this.#redis.zadd(this.#keys.activeJobs(), createdAt, id);
  }

  /** Ids of unfinished jobs, oldest first. */
  active(): Promise<string[]> {
    return this.#redis.zrange(this.#keys.activeJobs(), '0', '-1');
  }

  /**
   * Ids of all tenants (`''`) or of one, newest first, starting at a place.
   * @returns ids after the place, and whether there may be more beyond `count`
   */
  async page(tenant: string, { from, after }: ListPlace, count: number): Promise<{ ids: ListedId[]; more: boolean }> {
    const list = this.#keys.jobs(tenant);
    const entries = pairs(
      await this.#redis.zrange(list, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES'),
    );
    const ids = entries.filter(([id, at]) => after === null || at < Number(from) || id < after);
    return { ids, more: entries.length === count };
  }

  /** Removes ids of expired jobs from the list they were found in, and from the unfinished jobs. */
  async forget(tenant: string, ids: readonly string[]): Promise<void> {
    await this.#forget(this.#keys.jobs(tenant), ids);
  }

  /** Removes a few expired jobs from a list, so that it stays bounded even if no client reads it to the end. */
  async #prune(list: string, before: number): Promise<void> {
    const old = await this.#redis.zrange(list, '-inf', String(before), 'BYSCORE', 'LIMIT', 0, PRUNED_AT_ONCE);
    const there = await Promise.all(old.map((id) => this.#redis.exists(this.#keys.job(id))));
    await this.#forget(
      list,
      old.filter((_, n) => there[n] === 0),
    );
  }

  async #forget(list: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await exec(this.#redis, [
      ['zrem', list, ...ids],
      ['zrem', this.#keys.activeJobs(), ...ids],
    ]);
  }
}

/** `WITHSCORES` returns a flat list in RESP2 and a list of pairs in RESP3. */
function pairs(entries: readonly (string | readonly [string, string | number])[]): ListedId[] {
  if (Array.isArray(entries[0])) return (entries as [string, string | number][]).map(([id, at]) => [id, Number(at)]);
  return Array.from({ length: entries.length / 2 }, (_, n) => [entries[2 * n] as string, Number(entries[2 * n + 1])]);
}
