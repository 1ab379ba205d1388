import type { FileHandle } from 'node:fs/promises';
import { BootError } from '#contracts';
import { z } from 'zod';
import type { StoredTensor } from './stored-tensor.js';

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());

/**
 * The tensors of a safetensors file, by name. Format: u64 header length, JSON header, data; see the safetensors
 * repository's README.
 * @throws BootError when the file is not safetensors
 */
export async function locateInSafetensors(file: FileHandle, path: string): Promise<[string, StoredTensor][]> {
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
    ]) => [name, { type: dtype, shape, start: 8 + headerBytes + from, bytes: to - from, strides: null }],
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
