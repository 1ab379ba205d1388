import { npyHeader } from './npy-header.js';

/** Reads a header as the format's description says, independently of the writer. */
function parse(header: Buffer): { version: string; description: string } {
  expect(header.subarray(0, 6).toString('latin1')).toBe('\x93NUMPY');
  expect(header.length).toBe(10 + header.readUInt16LE(8));
  return { version: `${header[6]}.${header[7]}`, description: header.subarray(10).toString('latin1') };
}

describe('the header of a .npy file', () => {
  it.each([
    [0, 384],
    [1, 1],
    [117_659, 384],
    [2_000_000_000, 1024],
  ])('tells shape (%i, %i), is padded with spaces to 64 bytes and ends in a newline', (rows, dimensions) => {
    const header = npyHeader(rows, dimensions);
    const { version, description } = parse(header);
    expect(version).toBe('1.0');
    expect(header.length % 64).toBe(0);
    expect(description).toMatch(/ *\n$/);
    expect(description.trim()).toBe(`{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`);
  });
});
