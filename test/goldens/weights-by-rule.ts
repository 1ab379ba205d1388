/**
 * A tensor of a golden: its values follow from its name, by the rule that `weights.py` describes. Centre and spread:
 * values lie within `centre ± 2 ** spread`.
 */
export type RuledTensor = readonly [name: string, shape: readonly number[], centre: number, spread: number];

/** Row-major float32 values, the same bits as in Python. */
export function valuesOf([name, shape, centre, spread]: RuledTensor): Float32Array<ArrayBuffer> {
  const seed = seedOf(name);
  const scale = 2 ** spread;
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let index = 0; index < values.length; index++) {
    let x = (seed + Math.imul(index, 0x9e3779b9)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    values[index] = centre + scale * ((x >>> 8) / 2 ** 23 - 1);
  }
  return values;
}

/** FNV-1a of the name in UTF-8. */
function seedOf(name: string): number {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193) >>> 0;
  return seed;
}

/** The bytes of a safetensors file: u64 header length, JSON header, data. */
export function safetensorsOf(tensors: readonly RuledTensor[]): Buffer {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const { buffer, byteLength } = valuesOf(tensor);
    header[tensor[0]] = { dtype: 'F32', shape: tensor[1], data_offsets: [offset, offset + byteLength] };
    parts.push(Buffer.from(buffer));
    offset += byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((8 - (json.length % 8)) % 8, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding.length));
  return Buffer.concat([length, json, padding, ...parts]);
}
