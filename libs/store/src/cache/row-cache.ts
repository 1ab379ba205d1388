/** A row cache keeps rows by key. Its methods never reject: a failure is a miss, and the row is computed again. */
export interface RowCache {
  /** One entry per key, in order; null for a miss. */
  getMany(keys: readonly string[]): Promise<(Buffer | null)[]>;
  setMany(entries: readonly (readonly [key: string, row: Buffer])[]): Promise<void>;
}
