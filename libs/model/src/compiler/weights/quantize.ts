/** A matrix as int8 with one scale per column: `value ~ int8 * scale[column]`. */
export interface QuantizedMatrix {
  /** `[rows, columns]`, row-major, within -127..127. */
  readonly values: Int8Array;
  /** `[columns]`. */
  readonly scales: Float32Array;
}

// Looked up once: these loops run hundreds of millions of times.
const { abs, max, min, round } = Math;

/** Clipping points to try, as shares of a column's largest magnitude. */
const CLIPS = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7];

/**
 * Symmetric quantisation, separately for each column. A column is clipped where its squared error is least: clipping a
 * few extreme values allows finer steps for all others.
 * @param data `[rows, columns]`, row-major
 */
export function quantizeColumns(data: Float32Array, rows: number, columns: number): QuantizedMatrix {
  const largest = new Float32Array(columns);
  for (let i = 0; i < data.length; i++) {
    const magnitude = abs(data[i]!);
    if (magnitude > largest[i % columns]!) largest[i % columns] = magnitude;
  }
  const scales = new Float32Array(columns);
  const least = new Float64Array(columns).fill(Infinity);
  for (const clip of CLIPS) {
    const errors = new Float64Array(columns);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const value = data[r * columns + c]!;
        const scale = (largest[c]! * clip) / 127;
        const error = value - toInt8(value, scale) * scale;
        errors[c]! += error * error;
      }
    }
    for (let c = 0; c < columns; c++) {
      if (errors[c]! < least[c]!) {
        least[c] = errors[c]!;
        scales[c] = (largest[c]! * clip) / 127;
      }
    }
  }
  const values = new Int8Array(data.length);
  for (let i = 0; i < data.length; i++) values[i] = toInt8(data[i]!, scales[i % columns]!);
  return { values, scales: scales.map((scale) => (scale === 0 ? 1 : scale)) };
}

/** Nearest int8 within -127..127; 0 when the scale is 0. */
export function toInt8(value: number, scale: number): number {
  if (scale === 0) return 0;
  return max(-127, min(127, round(value / scale)));
}
