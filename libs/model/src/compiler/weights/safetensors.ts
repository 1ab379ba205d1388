import { open, type FileHandle } from 'node:fs/promises';
import { BootError } from '#contracts';
import { z } from 'zod';
import { fromBfloat16, fromFloat16 } from '../onnx/half-floats.js';

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());

export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

interface Located {
  readonly file: FileHandle;
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly bytes: number;
}

/**
 * Reads tensors from one or several safetensors files, one at a time, so that only one needs to be in memory.
 * Format: u64 header length, JSON header, data; see the safetensors repository's README.
 */
export class SafetensorsReader {
  readonly #files: readonly FileHandle[];
  readonly #tensors: ReadonlyMap<string, Located>;

  private constructor(files: readonly FileHandle[], tensors: ReadonlyMap<string, Located>) {
    this.#files = files;
    this.#tensors = tensors;
  }

  /** @throws BootError when a file is not safetensors */
  static async open(paths: readonly string[]): Promise<SafetensorsReader> {
    const files: FileHandle[] = [];
    const tensors = new Map<string, Located>();
    for (const path of paths) {
      const file = await open(path, 'r');
      files.push(file);
      for (const [name, located] of await readHeader(file, path)) tensors.set(name, located);
    }
    return new SafetensorsReader(files, tensors);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Reads a tensor stored as F32, F16 or BF16, as float32. @throws BootError when it is missing or has another type */
  async read(name: string): Promise<Tensor> {
    const located = this.#tensors.get(name);
    if (located === undefined) throw new BootError(`the weights have no tensor "${name}"`);
    const { file, path, dtype, shape, start, bytes } = located;
    const buffer = new ArrayBuffer(bytes);
    for (let done = 0; done < bytes;) {
      // A single read is limited to less than 2 GiB.
      const { bytesRead } = await file.read(
        new Uint8Array(buffer, done, Math.min(bytes - done, 2 ** 30)),
        0,
        null,
        start + done,
      );
      if (bytesRead === 0) throw new BootError(`${path}: ends within tensor "${name}"`);
      done += bytesRead;
    }
    return { shape, data: toFloats(buffer, dtype, name) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

async function readHeader(file: FileHandle, path: string): Promise<[string, Located][]> {
  const length = Buffer.alloc(8);
  const { size } = await file.stat();
  await file.read(length, 0, 8, 0);
  const headerBytes = Number(length.readBigUInt64LE());
  if (size < 8 || headerBytes > size - 8) throw new BootError(`${path}: is not a safetensors file`);
  const header = Buffer.alloc(headerBytes);
  await file.read(header, 0, headerBytes, 8);
  return parseHeader(header, path).map(
    ([
      name,
      {
        data_offsets: [from, to],
        dtype,
        shape,
      },
    ]) => [name, { file, path, dtype, shape, start: 8 + headerBytes + from, bytes: to - from }],
  );
}

function parseHeader(header: Buffer, path: string): [string, z.infer<typeof entrySchema>][] {
  try {
    return Object.entries(headerSchema.parse(JSON.parse(header.toString('utf8'))))
      .filter(([name]) => name !== '__metadata__')
      .map(([name, entry]) => [name, entrySchema.parse(entry)]);
  } catch (error) {
    throw new BootError(`${path}: the header of this safetensors file cannot be read`, { cause: error });
  }
}

function toFloats(buffer: ArrayBuffer, dtype: string, name: string): Float32Array {
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F16') return fromFloat16(new Uint16Array(buffer));
  if (dtype === 'BF16') return fromBfloat16(new Uint16Array(buffer));
  throw new BootError(`tensor "${name}" is stored as ${dtype}; the compiler reads F32, F16 and BF16`);
}
