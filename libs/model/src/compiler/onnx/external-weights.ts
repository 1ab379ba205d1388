import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
type TensorProto = onnxProto.onnx.ITensorProto;

/** ONNX Runtime maps the file: tensors begin where a page-friendly copy can. */
const ALIGNMENT = 64;

export type WeightArray = Float32Array | Uint16Array | Int8Array | Int32Array | BigInt64Array;

/** Where a graph's weights are kept. */
export interface WeightStore {
  /** Keeps the tensor. @param data row-major; Uint16Array holds float16 bits. @returns what the graph says of it */
  add(name: string, dims: readonly number[], data: WeightArray): Promise<TensorProto>;
}

/** Weights in the graph's own file, for the few that a small head has. */
export const inlineWeights: WeightStore = {
  add: (name, dims, data) => Promise.resolve(inlineTensor(name, dims, data)),
};

/** A tensor whose data stands in the graph's file. */
export function inlineTensor(name: string, dims: readonly number[], data: WeightArray): TensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: [...dims], dataType: typeOf(data), rawData };
}

/**
 * Weights in a file beside the graph (ONNX external data), written one after the other: neither protobuf's limit of
 * 2 GiB nor memory bounds a model's size.
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
  if (data instanceof Int32Array) return DataType.INT32;
  return DataType.INT64;
}
