import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { BootError } from '#contracts';
import type { StoredTensor } from './stored-tensor.js';
import { type PickledTensor, unpickleTensors } from './torch-pickle.js';
import { readAt, readZipDirectory, type ZipEntry } from './zip-directory.js';

const MOST_PICKLE_BYTES = 64 * 1024 * 1024;
const ZIP = Buffer.from('PK\u0003\u0004');

/**
 * The tensors of a file of PyTorch (`torch.save` since 1.6), by name: a zip archive of `data.pkl`, which says where each
 * tensor is, and a file for each storage. Nothing in it is executed.
 * @throws BootError, one line, when it is an older file, is damaged, or contains anything but tensors
 */
export async function locateInTorchFile(file: FileHandle, path: string): Promise<[string, StoredTensor][]> {
  try {
    if (!(await readAt(file, 0, ZIP.length)).equals(ZIP)) throw new Error('it is no file of PyTorch 1.6 or newer');
    const entries = await readZipDirectory(file);
    const pickle = [...entries].find(([name]) => /^[^/]+\/data\.pkl$/.test(name));
    if (pickle === undefined) throw new Error('it has no data.pkl');
    const [name, { start, bytes }] = pickle;
    const folder = name.slice(0, -'data.pkl'.length);
    const order = entries.get(`${folder}byteorder`);
    if (order !== undefined && (await readAt(file, order.start, Math.min(order.bytes, 8))).toString() !== 'little') {
      throw new Error('its numbers are not in the order of little-endian machines');
    }
    if (bytes > MOST_PICKLE_BYTES) throw new Error('its data.pkl is too large');
    const tensors = unpickleTensors(await readAt(file, start, bytes));
    return [...tensors].map(([tensor, pickled]) => {
      const entry = entries.get(`${folder}data/${pickled.storage.key}`);
      if (entry === undefined) throw new Error(`tensor "${tensor}" has no data`);
      return [tensor, stored(tensor, pickled, entry)];
    });
  } catch (error) {
    const [from, to] = [
      basename(path),
      basename(path)
        .replace(/^pytorch_model/, 'model')
        .replace(/\.bin$/, ''),
    ];
    throw new BootError(
      `${path}: ${(error as Error).message}; Embedmill reads only tensors from it. Convert it in its folder: python -c ` +
        `"import torch; from safetensors.torch import save_file; w = torch.load('${from}', weights_only=True); ` +
        `save_file({n: t.contiguous().clone() for n, t in w.items()}, '${to}.safetensors')"`,
      { cause: error },
    );
  }
}

/** @throws Error when a tensor reaches beyond its storage */
function stored(name: string, { offset, shape, storage, strides }: PickledTensor, entry: ZipEntry): StoredTensor {
  const { type } = storage;
  if (shape.length !== strides.length) throw new Error(`tensor "${name}" is damaged`);
  const count = shape.reduce((product, size) => product * size, 1);
  // Numbers from the first one to the last one.
  const span = count === 0 ? 0 : 1 + shape.reduce((sum, size, n) => sum + (size - 1) * strides[n]!, 0);
  if (offset + span > storage.count || storage.count * type.bytes > entry.bytes) {
    throw new Error(`tensor "${name}" reaches beyond its data`);
  }
  if (count > span) throw new Error(`tensor "${name}" repeats its numbers`);
  const start = entry.start + offset * type.bytes;
  const dense = count === 0 || isRowMajor(shape, strides);
  return { type: type.name, shape, start, bytes: span * type.bytes, strides: dense ? null : strides };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let n = shape.length - 1; n >= 0; n--) {
    if (shape[n] !== 1 && strides[n] !== expected) return false;
    expected *= shape[n]!;
  }
  return true;
}
