import type { ExtraInput } from './types.js';

/** A tensor as ONNX Runtime's constructor wants it; `Uint16Array` holds float16 bits, `Uint8Array` booleans. */
export interface ExtraTensor {
  readonly type: 'int64' | 'int32' | 'float32' | 'float16' | 'bool';
  readonly data: BigInt64Array | Int32Array | Float32Array | Uint16Array | Uint8Array;
  readonly dims: readonly number[];
}

/** An input filled with one value; dimensions named `rows` and `tokens` are those of the batch. */
export function extraTensor({ dims, name, type, value }: ExtraInput, rows: number, tokens: number): ExtraTensor {
  const shape = dims.map((dim) => (dim === 'rows' ? rows : dim === 'tokens' ? tokens : dim));
  const size = shape.reduce((product, dim) => product * dim, 1);
  switch (type) {
    case 'int64':
      return { type, data: new BigInt64Array(size).fill(BigInt(value)), dims: shape };
    case 'int32':
      return { type, data: new Int32Array(size).fill(value), dims: shape };
    case 'float':
      return { type: 'float32', data: new Float32Array(size).fill(value), dims: shape };
    case 'float16':
      if (value !== 0) throw new RangeError(`${name}: a float16 input can only be empty or 0`);
      return { type, data: new Uint16Array(size), dims: shape };
    case 'bool':
      return { type, data: new Uint8Array(size).fill(value), dims: shape };
  }
}
