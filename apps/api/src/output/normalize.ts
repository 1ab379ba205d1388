/** L2-normalises in place; a zero vector stays as it is. */
export function normalizeInPlace(vector: Float32Array): void {
  let sum = 0;
  // Index loops: an iterator takes several times as long.
  for (let index = 0; index < vector.length; index++) sum += vector[index]! * vector[index]!;
  const norm = Math.sqrt(sum);
  if (norm === 0) return;
  for (let index = 0; index < vector.length; index++) vector[index] = vector[index]! / norm;
}
