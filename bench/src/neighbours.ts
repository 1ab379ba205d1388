/**
 * The nearest others of every `step`-th vector by dot product, which is the cosine of normalised ones: a set of indices
 * for each, at most `count` in it.
 * @param vectors of the same length, normalised
 */
export function nearestOthers(vectors: readonly Float32Array[], step: number, count: number): Set<number>[] {
  const found: Set<number>[] = [];
  for (let query = 0; query < vectors.length; query += step) {
    const cosines = vectors.map((vector) => dot(vector, vectors[query]!));
    // Itself is no neighbour; of equals the first come first, as they do for the other dtype.
    const order = cosines.map((_, index) => index).filter((index) => index !== query);
    order.sort((a, b) => cosines[b]! - cosines[a]!);
    found.push(new Set(order.slice(0, count)));
  }
  return found;
}

/** Share of the wanted that are found as well, averaged over all queries; 0..1. */
export function overlap(wanted: readonly ReadonlySet<number>[], found: readonly ReadonlySet<number>[]): number {
  const shares = wanted.map((set, query) => [...set].filter((index) => found[query]!.has(index)).length / set.size);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** A vector of length 1 of its own. */
export function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
