import type { RowCache } from './row-cache.js';

/** A near cache in front of a far one: rows found only in the far cache are copied to the near one. */
export class TieredCache implements RowCache {
  readonly #near: RowCache;
  readonly #far: RowCache;

  constructor(near: RowCache, far: RowCache) {
    this.#near = near;
    this.#far = far;
  }

  async getMany(keys: readonly string[]): Promise<(Buffer | null)[]> {
    const rows = await this.#near.getMany(keys);
    const missing = rows.flatMap((row, index) => (row === null ? [index] : []));
    if (missing.length === 0) return rows;
    const found = await this.#far.getMany(missing.map((index) => keys[index]!));
    const fresh: [string, Buffer][] = [];
    for (const [n, index] of missing.entries()) {
      const row = found[n] ?? null;
      if (row === null) continue;
      rows[index] = row;
      fresh.push([keys[index]!, row]);
    }
    await this.#near.setMany(fresh);
    return rows;
  }

  async setMany(entries: readonly (readonly [key: string, row: Buffer])[]): Promise<void> {
    await Promise.all([this.#near.setMany(entries), this.#far.setMany(entries)]);
  }
}
