/** A linear layer's matrix, in the layout of ONNX graphs. */
export interface Matrix {
  /** `[inputs, outputs]`, row-major. */
  readonly data: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * `[rows, columns]` to `[columns, rows]`, row-major. In blocks: single strided accesses would miss the cache every
 * time.
 */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const BLOCK = 32;
  const out = new Float32Array(data.length);
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    for (let c0 = 0; c0 < columns; c0 += BLOCK) {
      const rEnd = Math.min(r0 + BLOCK, rows);
      const cEnd = Math.min(c0 + BLOCK, columns);
      for (let r = r0; r < rEnd; r++) for (let c = c0; c < cEnd; c++) out[c * rows + r] = data[r * columns + c]!;
    }
  }
  return out;
}

/** The matrix the other way round. */
export function transposed({ data, inputs, outputs }: Matrix): Matrix {
  return { data: transpose(data, inputs, outputs), inputs: outputs, outputs: inputs };
}

/** Matrices of the same height side by side: `[rows, a]`, `[rows, b]`, … to `[rows, a + b + …]`. */
export function beside(matrices: readonly Float32Array[], rows: number): Float32Array {
  const widths = matrices.map((matrix) => matrix.length / rows);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const out = new Float32Array(rows * total);
  for (let r = 0; r < rows; r++) {
    let at = r * total;
    for (const [n, matrix] of matrices.entries()) {
      const width = widths[n]!;
      out.set(matrix.subarray(r * width, (r + 1) * width), at);
      at += width;
    }
  }
  return out;
}

export function concat(vectors: readonly Float32Array[]): Float32Array {
  return beside(vectors, 1);
}
