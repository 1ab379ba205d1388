import { type Keys, type WorkerRecord, workerRecordSchema } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec } from '../redis/exec.js';

/** How long the last record of a lost worker is kept, s. */
const LOST_KEPT_SECONDS = 3600;

/** The records that workers write with their heartbeats. */
export class WorkerRegistry {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @param ttlMs time without a heartbeat after which the worker counts as lost */
  async heartbeat(record: WorkerRecord, ttlMs: number): Promise<void> {
    const json = JSON.stringify(record);
    await exec(this.#redis, [
      ['set', this.#keys.worker(record.id), json, 'PX', ttlMs],
      ['set', this.#keys.lastRecord(record.id), json, 'EX', LOST_KEPT_SECONDS],
      ['zadd', this.#keys.workers(), record.heartbeatAt, record.id],
    ]);
  }

  /** Workers that are alive, longest-running first. */
  async list(): Promise<WorkerRecord[]> {
    const ids = await this.#redis.zrange(this.#keys.workers(), '0', '-1');
    const records = await this.#read(ids, (id) => this.#keys.worker(id));
    const silent = ids.filter((_, n) => records[n] === null);
    if (silent.length > 0) {
      const now = Date.now();
      await exec(this.#redis, [
        ['zremrangebyscore', this.#keys.lostWorkers(), '-inf', now - LOST_KEPT_SECONDS * 1000],
        ['zadd', this.#keys.lostWorkers(), ...silent.flatMap((id) => [now, id])],
      ]);
      // In this order, so that a lost worker is always in at least one of the two lists.
      await this.#redis.zrem(this.#keys.workers(), ...silent);
    }
    return records.flatMap(known).sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Last records of workers lost within the last hour (no heartbeats and no shutdown), the most recent first. */
  async lost(): Promise<WorkerRecord[]> {
    const alive = new Set((await this.list()).map(({ id }) => id));
    const ids = await this.#redis.zrange(this.#keys.lostWorkers(), '0', '-1');
    const records = await this.#read(ids, (id) => this.#keys.lastRecord(id));
    // Expired, or alive again because its heartbeat was only late.
    const over = ids.filter((id, n) => records[n] === null || alive.has(id));
    if (over.length > 0) await this.#redis.zrem(this.#keys.lostWorkers(), ...over);
    return records
      .flatMap(known)
      .filter(({ id }) => !alive.has(id))
      .sort((a, b) => b.heartbeatAt - a.heartbeatAt);
  }

  /** Removes a worker: one that shuts down, or a lost one that an operator dismisses. */
  async remove(id: string): Promise<void> {
    await exec(this.#redis, [
      ['del', this.#keys.worker(id)],
      ['del', this.#keys.lastRecord(id)],
      ['zrem', this.#keys.workers(), id],
      ['zrem', this.#keys.lostWorkers(), id],
    ]);
  }

  #read(ids: readonly string[], keyOf: (id: string) => string): Promise<(string | null)[]> {
    return Promise.all(ids.map((id) => this.#redis.get(keyOf(id))));
  }
}

/** Skips a record that this version cannot parse, written by a worker of another version. */
function known(json: string | null): WorkerRecord[] {
  const record = json === null ? undefined : workerRecordSchema.safeParse(JSON.parse(json)).data;
  return record === undefined ? [] : [record];
}
