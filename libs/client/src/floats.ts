/**
 * Decodes base64 of little-endian float32, the form of vectors with `encoding_format=base64`.
 * @returns `[dimensions]`
 */
export function floatsOf(base64: string): Float32Array {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let n = 0; n < characters.length; n++) bytes[n] = characters.charCodeAt(n);
  return littleEndian(bytes);
}

/** Reads bytes as little-endian float32. On a little-endian machine the result shares the memory of `bytes`. */
export function littleEndian(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  if (!IS_LITTLE_ENDIAN) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Float32Array.from({ length: bytes.byteLength / 4 }, (_, n) => view.getFloat32(4 * n, true));
  }
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
