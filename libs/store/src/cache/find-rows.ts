import {
  fitsRow,
  inputHash,
  type Keys,
  type Operation,
  type Row,
  type RowBytes,
  type Spec,
  specHash,
} from '#contracts';
import type { RowCache } from './row-cache.js';

/** Returns a function from an input to its cache key under one spec. */
export function cacheKeyOf(keys: Keys, operation: Operation, spec: Spec): (input: unknown) => string {
  const hash = specHash(spec);
  return (input) => keys.row(hash, inputHash(operation.key(input)));
}

/** The row of each key, in order; null for a miss or for bytes that cannot be such a row, as caches are not trusted. */
export async function findRows(cache: RowCache, keys: readonly string[], rowBytes: RowBytes): Promise<(Row | null)[]> {
  const found = await cache.getMany(keys);
  return found.map((bytes) => (bytes !== null && fitsRow(bytes, rowBytes) ? bytes : null));
}
