/** Points in a plane, and the share of the vectors' variance that each axis shows, 0..1. */
export interface Projection {
  /** `[n, 2]` */
  readonly points: readonly (readonly [number, number])[];
  readonly shares: readonly [number, number];
}

const MOST_ROUNDS = 500;
const STILL = 1e-10;

/** Cosine of each pair of unit vectors, `[n, n]`. */
export function similarities(vectors: readonly (readonly number[])[]): number[][] {
  return vectors.map((a) => vectors.map((b) => dot(a, b)));
}

/**
 * Projects vectors `[n, dimensions]` onto their first two principal components, by power iteration on the Gram matrix
 * `[n, n]`, whose size does not depend on the dimensions. Deterministic: the start vector is fixed, and the largest
 * coordinate of each axis is positive.
 */
export function project(vectors: readonly (readonly number[])[]): Projection {
  const centred = centre(vectors);
  const gram = centred.map((a) => centred.map((b) => dot(a, b)));
  const total = gram.reduce((sum, row, i) => sum + row[i]!, 0);
  const axes = [0, 1].map(() => {
    const { value, vector } = leadingPair(gram);
    for (const [i, row] of gram.entries()) {
      for (const j of row.keys()) row[j]! -= value * vector[i]! * vector[j]!;
    }
    return { share: total > STILL ? value / total : 0, coordinates: upright(vector.map((x) => x * Math.sqrt(value))) };
  });
  const [x, y] = [axes[0]!, axes[1]!];
  return { points: vectors.map((_, i) => [x.coordinates[i]!, y.coordinates[i]!] as const), shares: [x.share, y.share] };
}

/** Largest eigenvalue of a positive semi-definite matrix, and its unit eigenvector; all 0 for the zero matrix. */
function leadingPair(matrix: readonly (readonly number[])[]): { value: number; vector: number[] } {
  let vector = unit(matrix.map((_, i) => Math.sin(i + 1)));
  let value = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const image = matrix.map((row) => dot(row, vector));
    value = Math.hypot(...image);
    if (value < STILL) return { value: 0, vector: matrix.map(() => 0) };
    const next = image.map((x) => x / value);
    const moved = Math.hypot(...next.map((x, i) => x - vector[i]!));
    vector = next;
    if (moved < STILL) break;
  }
  return { value, vector };
}

function centre(vectors: readonly (readonly number[])[]): number[][] {
  const mean = vectors.reduce<number[]>((sum, vector) => vector.map((x, i) => (sum[i] ?? 0) + x / vectors.length), []);
  return vectors.map((vector) => vector.map((x, i) => x - mean[i]!));
}

function upright(axis: number[]): number[] {
  const largest = axis.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return largest < 0 ? axis.map((x) => -x) : axis;
}

function unit(vector: number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}
