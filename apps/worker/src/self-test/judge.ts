import { type Dtype, isRow, type Outcome, rowFloats } from '#contracts';

/**
 * Maximum relative distance from the reference: |row - reference| / |reference|. For vectors of equal length these are
 * cosines of 0.9999, 0.999 and 0.98, by sqrt(2 - 2 cos). Results vary slightly with the rest of the batch; int8 varies
 * most, since it has one scale for a whole batch.
 */
const GREATEST_DISTANCE: Record<Dtype, number> = { fp32: 0.0142, fp16: 0.0448, int8: 0.2 };

/**
 * A fault that shows without a reference: no row, values that are not finite, or all zeros; null when there is none.
 */
export function defectOf(outcome: Outcome | undefined): string | null {
  if (outcome === undefined || !isRow(outcome)) return `no row: ${outcome?.message ?? 'nothing came'}`;
  const floats = rowFloats(outcome);
  if (!floats.every((value) => Number.isFinite(value))) return 'a row with values that are no numbers';
  if (floats.every((value) => value === 0)) return 'a row of zeros';
  return null;
}

/** Describes how an answer differs from the reference; null when it is within the tolerance of `dtype`. */
export function differenceOf(floats: Float32Array, reference: Float32Array, dtype: Dtype): string | null {
  if (floats.length !== reference.length) return `${floats.length} numbers instead of ${reference.length}`;
  const distance = distanceOf(floats, reference);
  const greatest = GREATEST_DISTANCE[dtype];
  return distance <= greatest
    ? null
    : `it is ${distance.toFixed(4)} of the reference's length away from it, at most ${greatest} is right`;
}

function distanceOf(a: Float32Array, reference: Float32Array): number {
  let [away, length] = [0, 0];
  for (const [n, x] of a.entries()) {
    const right = reference[n]!;
    away += (x - right) ** 2;
    length += right ** 2;
  }
  return length === 0 ? Math.sqrt(away) : Math.sqrt(away / length);
}
