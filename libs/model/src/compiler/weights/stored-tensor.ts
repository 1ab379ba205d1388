import { BootError } from '#contracts';
import { fromBfloat16, fromFloat16 } from '../onnx/half-floats.js';

/** Where a tensor lies in a file. */
export interface StoredTensor {
  /** Of its numbers, by its name in safetensors: `F32`, `BF16` and so on. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Place of its first number in the file, bytes. */
  readonly start: number;
  /** From its first number to the end of its last one. */
  readonly bytes: number;
  /** Numbers between neighbours in each dimension; null when the tensor is row-major without gaps. */
  readonly strides: readonly number[] | null;
}

/** @throws BootError for anything but floats: integers are of weights that were quantised, and mean nothing alone */
export function decodeFloats(buffer: ArrayBuffer, type: string, name: string): Float32Array {
  if (type === 'F32') return new Float32Array(buffer);
  if (type === 'F16') return fromFloat16(new Uint16Array(buffer));
  if (type === 'BF16') return fromBfloat16(new Uint16Array(buffer));
  throw new BootError(`tensor "${name}" is stored as ${type}; the compiler reads F32, F16 and BF16`);
}

/** Floats and integers as float32, which is exact for integers up to 2 ** 24. @throws BootError for other types */
export function decodeNumbers(buffer: ArrayBuffer, type: string, name: string): Float32Array {
  if (type === 'F64') return Float32Array.from(new Float64Array(buffer));
  if (type === 'I64') return Float32Array.from(new BigInt64Array(buffer), Number);
  if (type === 'I32') return Float32Array.from(new Int32Array(buffer));
  if (type === 'I16') return Float32Array.from(new Int16Array(buffer));
  if (type === 'I8') return Float32Array.from(new Int8Array(buffer));
  if (type === 'U8') return Float32Array.from(new Uint8Array(buffer));
  return decodeFloats(buffer, type, name);
}

/** Numbers at strides, row-major without gaps. */
export function gather(data: Float32Array, shape: readonly number[], strides: readonly number[]): Float32Array {
  const out = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const index = shape.map(() => 0);
  let from = 0;
  for (let at = 0; at < out.length; at++) {
    out[at] = data[from]!;
    for (let n = shape.length - 1; n >= 0; n--) {
      from += strides[n]!;
      if (++index[n]! < shape[n]!) break;
      from -= shape[n]! * strides[n]!;
      index[n] = 0;
    }
  }
  return out;
}
