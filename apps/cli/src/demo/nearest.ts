/** Index of a row, and its cosine with the query. */
export interface Neighbour {
  readonly index: number;
  readonly score: number;
}

/**
 * The rows nearest to a query, best first. Rows and query must be normalised: the dot product is then the cosine.
 * @param vectors `[rows, dimensions]`, row-major
 * @param query `[dimensions]`
 */
export function nearest(vectors: Float32Array, query: Float32Array, count: number): Neighbour[] {
  const dimensions = query.length;
  const neighbours: Neighbour[] = [];
  for (let index = 0; index * dimensions < vectors.length; index++) {
    let score = 0;
    for (let i = 0; i < dimensions; i++) score += (vectors[index * dimensions + i] ?? 0) * (query[i] ?? 0);
    neighbours.push({ index, score });
  }
  return neighbours.sort((a, b) => b.score - a.score).slice(0, count);
}
