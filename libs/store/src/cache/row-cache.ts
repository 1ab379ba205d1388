/**
 * A row cache keeps rows by key. It is a convenience: it never throws, and what it has lost is computed again.
 */
export interface RowCache {
  /** One entry for each key, in order; null for a miss. */
  getMany(keys: readonly string[]): Promise<(Buffer | null)[]>;
  setMany(entries: readonly (readonly [key: string, row: Buffer])[]): Promise<void>;
}
