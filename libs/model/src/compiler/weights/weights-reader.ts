import { open, type FileHandle } from 'node:fs/promises';
import { BootError } from '#contracts';
import { locateInSafetensors } from './safetensors.js';
import { locateInTorchFile } from './torch-file.js';
import { decodeFloats, decodeNumbers, gather, type StoredTensor } from './stored-tensor.js';

export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

interface Located extends StoredTensor {
  readonly file: FileHandle;
  readonly path: string;
}

/**
 * Reads tensors from one or several files of safetensors or PyTorch, one at a time, so that only one needs to be in memory.
 */
export class WeightsReader {
  readonly #files: readonly FileHandle[];
  readonly #tensors: ReadonlyMap<string, Located>;

  private constructor(files: readonly FileHandle[], tensors: ReadonlyMap<string, Located>) {
    this.#files = files;
    this.#tensors = tensors;
  }

  /** @throws BootError, one line, when a file cannot be read */
  static async open(paths: readonly string[]): Promise<WeightsReader> {
    const files: FileHandle[] = [];
    const tensors = new Map<string, Located>();
    try {
      for (const path of paths) {
        const file = await open(path, 'r');
        files.push(file);
        const locate = /\.(bin|pt)$/.test(path) ? locateInTorchFile : locateInSafetensors;
        for (const [name, stored] of await locate(file, path)) tensors.set(name, { ...stored, file, path });
      }
    } catch (error) {
      await Promise.all(files.map((file) => file.close()));
      throw error;
    }
    return new WeightsReader(files, tensors);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws BootError when the tensor is missing */
  shape(name: string): readonly number[] {
    return this.#located(name).shape;
  }

  /** Reads a tensor stored as F32, F16 or BF16, as float32. @throws BootError when it is missing or has another type */
  read(name: string): Promise<Tensor> {
    return this.#read(name, decodeFloats);
  }

  /** Reads a tensor of any floats or integers, as float32. @throws BootError as `read` */
  readNumbers(name: string): Promise<Tensor> {
    return this.#read(name, decodeNumbers);
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }

  async #read(name: string, decode: typeof decodeFloats): Promise<Tensor> {
    const { file, path, type, shape, start, bytes, strides } = this.#located(name);
    const buffer = new ArrayBuffer(bytes);
    for (let done = 0; done < bytes;) {
      // A single read is limited to less than 2 GiB.
      const part = new Uint8Array(buffer, done, Math.min(bytes - done, 2 ** 30));
      const { bytesRead } = await file.read(part, 0, null, start + done);
      if (bytesRead === 0) throw new BootError(`${path}: ends within tensor "${name}"`);
      done += bytesRead;
    }
    const data = decode(buffer, type, name);
    return { shape, data: strides === null ? data : gather(data, shape, strides) };
  }

  #located(name: string): Located {
    const located = this.#tensors.get(name);
    if (located === undefined) throw new BootError(`the weights have no tensor "${name}"`);
    return located;
  }
}
