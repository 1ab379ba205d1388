/** Below it a peer does not compute the same thing, and its time says nothing. */
export const LEAST_AGREEMENT = 0.999;

/** Least cosine between rows of the same place; -1 when there are not as many. Vectors are `[texts, dimensions]`. */
export function leastCosine(a: Float32Array, b: Float32Array, dimensions: number): number {
  if (a.length !== b.length) return -1;
  let least = 1;
  for (let row = 0; row < a.length; row += dimensions) {
    let [dot, aa, bb] = [0, 0, 0];
    for (let i = row; i < row + dimensions; i++) {
      const [x, y] = [a[i]!, b[i]!];
      dot += x * y;
      aa += x * x;
      bb += y * y;
    }
    const cosine = dot / Math.sqrt(aa * bb);
    // NaN counts as no agreement at all.
    least = cosine >= least ? least : Number.isNaN(cosine) ? -1 : cosine;
  }
  return least;
}
