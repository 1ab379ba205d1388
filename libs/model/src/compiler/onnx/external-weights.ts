import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
type TensorProto = onnxProto.onnx.ITensorProto;

/** Alignment of tensors in the file, bytes: ONNX Runtime maps it into memory. */
const ALIGNMENT = 64;

export type WeightArray = Float32Array | Uint16Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

/** Stores a graph's weights. */
export interface WeightStore {
  /** Stores a tensor. @param data row-major; Uint16Array holds float16 bits @returns the tensor's entry in the graph */
  add(name: string, dims: readonly number[], data: WeightArray): Promise<TensorProto>;
}

/** Stores weights in the graph's own file; for heads, which have few. */
export const inlineWeights: WeightStore = {
  add: (name, dims, data) => Promise.resolve(inlineTensor(name, dims, data)),
};

/** A tensor whose data is in the graph's file. */
export function inlineTensor(name: string, dims: readonly number[], data: WeightArray): TensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: [...dims], dataType: typeOf(data), rawData };
}

/**
 * Stores weights in a file beside the graph (ONNX external data), one after the other, so that neither protobuf's limit
 * of 2 GiB nor the memory limits a model's size.
 */
export class ExternalWeights implements WeightStore {
  readonly #file: FileHandle;
  readonly #name: string;
  #end = 0;

  private constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  static async create(path: string): Promise<ExternalWeights> {
    return new ExternalWeights(await open(path, 'wx'), basename(path));
  }

  async add(name: string, dims: readonly number[], data: WeightArray): Promise<TensorProto> {
    const offset = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        done,
        Math.min(bytes.length - done, 2 ** 30),
        offset + done,
      );
      done += bytesWritten;
    }
    this.#end = offset + bytes.length;
    return {
      name,
      dims: [...dims],
      dataType: typeOf(data),
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [
        { key: 'location', value: this.#name },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(bytes.length) },
      ],
    };
  }

  async close(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }
}

function typeOf(data: WeightArray): number {
  const { DataType } = onnx.TensorProto;
  if (data instanceof Float32Array) return DataType.FLOAT;
  if (data instanceof Uint16Array) return DataType.FLOAT16;
  if (data instanceof Int8Array) return DataType.INT8;
  if (data instanceof Uint8Array) return DataType.UINT8;
  if (data instanceof Int32Array) return DataType.INT32;
  return DataType.INT64;
}
