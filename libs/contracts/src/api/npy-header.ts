const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
/** NumPy aligns the data to this many bytes, so that a file can be memory-mapped. */
const ALIGNMENT = 64;

/**
 * Header of a `.npy` file, format version 1.0, for an array `[rows, dimensions]` of little-endian float32 in C order.
 * Source: numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function npyHeader(rows: number, dimensions: number): Buffer {
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`;
  const unpadded = MAGIC.length + 2 + description.length + 1;
  const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
  const text = `${description}${' '.repeat(padding)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([MAGIC, length, Buffer.from(text, 'latin1')]);
}
