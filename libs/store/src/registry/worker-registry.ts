import { type Keys, type WorkerRecord, workerRecordSchema } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { exec } from '../redis/exec.js';

/** How long the last record of a worker that fell silent is kept, s. */
const LOST_KEPT_SECONDS = 3600;

/** Workers as they described themselves with their last heartbeat. */
export class WorkerRegistry {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @param ttlMs after which a silent worker is taken for dead */
  async heartbeat(record: WorkerRecord, ttlMs: number): Promise<void> {
    const json = JSON.stringify(record);
    await exec(this.#redis, [
      ['set', this.#keys.worker(record.id), json, 'PX', ttlMs],
      ['set', this.#keys.lastRecord(record.id), json, 'EX', LOST_KEPT_SECONDS],
      ['zadd', this.#keys.workers(), record.heartbeatAt, record.id],
    ]);
  }

  /** Those alive, longest-lived first. */
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
      // In this order: whoever leaves one list stands in the other.
      await this.#redis.zrem(this.#keys.workers(), ...silent);
    }
    return records.flatMap(known).sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Those that fell silent within the last hour without leaving, as they were when last heard of; the latest first. */
  async lost(): Promise<WorkerRecord[]> {
    const alive = new Set((await this.list()).map(({ id }) => id));
    const ids = await this.#redis.zrange(this.#keys.lostWorkers(), '0', '-1');
    const records = await this.#read(ids, (id) => this.#keys.lastRecord(id));
    // One that was only slow is back.
    const over = ids.filter((id, n) => records[n] === null || alive.has(id));
    if (over.length > 0) await this.#redis.zrem(this.#keys.lostWorkers(), ...over);
    return records
      .flatMap(known)
      .filter(({ id }) => !alive.has(id))
      .sort((a, b) => b.heartbeatAt - a.heartbeatAt);
  }

  /** Forgets a worker: one that says goodbye, or a lost one that somebody has seen. */
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

/** One that this version cannot read, of a worker of another, hides no others. */
function known(json: string | null): WorkerRecord[] {
  const record = json === null ? undefined : workerRecordSchema.safeParse(JSON.parse(json)).data;
  return record === undefined ? [] : [record];
}
