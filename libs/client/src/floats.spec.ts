import { floatsOf, littleEndian } from './floats.js';

it('base64 of little-endian float32 is read exactly', () => {
  const floats = Float32Array.of(0, -1.5, 3.4e38, 1e-45, Number.NaN);
  const bytes = Buffer.alloc(20);
  floats.forEach((value, n) => bytes.writeFloatLE(value, 4 * n));
  expect(floatsOf(bytes.toString('base64'))).toEqual(floats);
  expect(littleEndian(new Uint8Array(bytes))).toEqual(floats);
});
