import { isFixed, type Keys, ROW_HEAD_BYTES, type Row, rowTokens, SLICE_ROWS } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { type RedisCommand, exec } from '../redis/exec.js';
import type { JobRef, PlacedRow, ResultStore, RowWrite } from './result-store.js';
import { sliceRuns } from './slice-runs.js';

/** Keys renewed per pipeline. */
const RENEW_CHUNK = 1000;

/**
 * Rows in Redis, in slices of `SLICE_ROWS` positions. If all rows have the same length, a slice is a string with each
 * row at the offset of its position; else it is a hash with one field per row.
 */
export class RedisResults implements ResultStore {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async stage({ id, rowBytes }: JobRef, rows: readonly PlacedRow[]): Promise<readonly RowWrite[]> {
    if (!isFixed(rowBytes)) {
      return rows.map(({ position, row }) => ({
        key: this.#keys.jobSlice(id, sliceOf(position)),
        field: position % SLICE_ROWS,
        bytes: row,
      }));
    }
    return sliceRuns(rows, rowBytes.most).map(({ slice, byteOffset, bytes }) => ({
      key: this.#keys.jobSlice(id, slice),
      offset: byteOffset,
      bytes,
    }));
  }

  async read(job: JobRef, from: number, count: number): Promise<(Row | null)[]> {
    if (count <= 0) return [];
    const first = sliceOf(from);
    const slices = Array.from({ length: sliceOf(from + count - 1) - first + 1 }, (_, n) =>
      this.#keys.jobSlice(job.id, first + n),
    );
    const rowAt = isFixed(job.rowBytes)
      ? rowsOfStrings(await Promise.all(slices.map((key) => this.#redis.getBuffer(key))), job.rowBytes.most)
      : rowsOfHashes(await Promise.all(slices.map((key) => this.#redis.hgetallBuffer(key))));
    return Array.from({ length: count }, (_, n) => rowAt(sliceOf(from + n) - first, (from + n) % SLICE_ROWS));
  }

  async written({ id, rowBytes }: JobRef, positions: readonly number[]): Promise<boolean[]> {
    const command = (position: number): RedisCommand => {
      const key = this.#keys.jobSlice(id, sliceOf(position));
      const place = position % SLICE_ROWS;
      if (!isFixed(rowBytes)) return ['hexists', key, place];
      const start = place * rowBytes.most;
      return ['getrangeBuffer', key, start, start + ROW_HEAD_BYTES - 1];
    };
    const replies = await exec(this.#redis, positions.map(command));
    return replies.map((reply) =>
      Buffer.isBuffer(reply) ? reply.length === ROW_HEAD_BYTES && rowTokens(reply) > 0 : reply === 1,
    );
  }

  async renew({ id }: Pick<JobRef, 'id'>, texts: number, ttlMs: number): Promise<void> {
    const slices = Math.ceil(texts / SLICE_ROWS);
    for (let from = 0; from < slices; from += RENEW_CHUNK) {
      const chunk = Array.from({ length: Math.min(RENEW_CHUNK, slices - from) }, (_, n) => from + n);
      await exec(
        this.#redis,
        chunk.map((slice) => ['pexpire', this.#keys.jobSlice(id, slice), ttlMs]),
      );
    }
  }
}

type RowAt = (slice: number, place: number) => Row | null;

function rowsOfStrings(slices: readonly (Buffer | null)[], size: number): RowAt {
  return (slice, place) => {
    const bytes = slices[slice];
    const start = place * size;
    if (!bytes || bytes.length < start + size) return null;
    const row = bytes.subarray(start, start + size);
    return rowTokens(row) === 0 ? null : row;
  };
}

function rowsOfHashes(slices: readonly Readonly<Record<string, Buffer>>[]): RowAt {
  return (slice, place) => slices[slice]?.[place] ?? null;
}

function sliceOf(position: number): number {
  return Math.floor(position / SLICE_ROWS);
}
