import { LRUCache } from 'lru-cache';
import type { RowCache } from './row-cache.js';

/** Approximate overhead of an entry besides its row, bytes: key, links and buffer objects. */
const ENTRY_BYTES = 250;

/** The most recently used rows, in this process. */
export class MemoryCache implements RowCache {
  readonly #rows: LRUCache<string, Buffer> | null;

  /** @param maxBytes rows and overhead; 0: the cache keeps nothing */
  constructor(maxBytes: number) {
    this.#rows =
      maxBytes === 0 ? null : new LRUCache({ maxSize: maxBytes, sizeCalculation: (row) => row.length + ENTRY_BYTES });
  }

  async getMany(keys: readonly string[]): Promise<(Buffer | null)[]> {
    return keys.map((key) => this.#rows?.get(key) ?? null);
  }

  async setMany(entries: readonly (readonly [key: string, row: Buffer])[]): Promise<void> {
    if (this.#rows === null) return;
    for (const [key, row] of entries) {
      // A row may be a view on a large reply; storing the view would keep the whole reply in memory.
      this.#rows.set(key, row.buffer.byteLength > 2 * row.length ? Buffer.from(row) : row);
    }
  }
}
