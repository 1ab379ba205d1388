import type { Dtype, TextResult } from '#contracts';

/**
 * Least cosine with the reference. The last decimals depend on what else is in a batch; int8 has one scale for a whole
 * batch.
 */
const LEAST_COSINE: Record<Dtype, number> = { fp32: 0.9999, fp16: 0.999, int8: 0.98 };

/** What is wrong with a vector by itself; null when nothing is. */
export function defectOf(result: TextResult | undefined): string | null {
  if (result === undefined || !result.ok) return `no vector: ${result?.error.message ?? 'nothing came'}`;
  if (!result.vector.every((value) => Number.isFinite(value))) return 'a vector with values that are no numbers';
  if (result.vector.every((value) => value === 0)) return 'a vector of zeros';
  return null;
}

/** How an answer differs from what it should be, in words; null when it does not. */
export function differenceOf(vector: Float32Array, reference: Float32Array, dtype: Dtype): string | null {
  if (vector.length !== reference.length) return `${vector.length} dimensions instead of ${reference.length}`;
  const cosine = cosineOf(vector, reference);
  const least = LEAST_COSINE[dtype];
  return cosine >= least ? null : `cosine ${cosine.toFixed(4)} with the reference, at least ${least} is right`;
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (const [n, x] of a.entries()) {
    const y = b[n]!;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}
