/**
 * The nearest other vectors of every `step`-th vector, by dot product, which is the cosine of normalised vectors.
 * @param vectors normalised, `[dimensions]` each
 * @returns for each query a set of at most `count` indices
 */
export function nearestOthers(vectors: readonly Float32Array[], step: number, count: number): Set<number>[] {
  const found: Set<number>[] = [];
  for (let query = 0; query < vectors.length; query += step) {
    const cosines = vectors.map((vector) => dot(vector, vectors[query]!));
    // A vector is not its own neighbour. Equal ones stay in index order, so that the order is the same for all dtypes.
    const order = cosines.map((_, index) => index).filter((index) => index !== query);
    order.sort((a, b) => cosines[b]! - cosines[a]!);
    found.push(new Set(order.slice(0, count)));
  }
  return found;
}

/** Share of the wanted indices that are also in `found`, averaged over all queries, 0..1. */
export function overlap(wanted: readonly ReadonlySet<number>[], found: readonly ReadonlySet<number>[]): number {
  const shares = wanted.map((set, query) => [...set].filter((index) => found[query]!.has(index)).length / set.size);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** A copy of the vector with length 1. */
export function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
