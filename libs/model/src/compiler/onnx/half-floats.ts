/** IEEE 754 binary16 and bfloat16, implemented here because Node 20 has no Float16Array. */
const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** The value of every binary16 number, by its bits. */
const FROM_HALF = Float32Array.from({ length: 65_536 }, (_, half) => {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

export function fromFloat16(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = FROM_HALF[halves[i]!]!;
  return floats;
}

export function fromBfloat16(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/** Rounds to nearest, ties to even; numbers that are too large become infinite. */
export function toFloat16(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < floats.length; i++) halves[i] = halfOf(floats[i]!);
  return halves;
}

function halfOf(value: number): number {
  scratch[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const exponent = ((word >>> 23) & 0xff) - 127 + 15;
  const fraction = word & 0x7f_ffff;
  if (exponent >= 31) return sign | 0x7c00 | (exponent === 143 && fraction !== 0 ? 0x200 : 0);
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    return sign | roundShift(fraction | 0x80_0000, 14 - exponent);
  }
  // A carry out of the fraction increments the exponent, which is correct.
  return sign | ((exponent << 10) + roundShift(fraction, 13));
}

function roundShift(value: number, shift: number): number {
  const half = 1 << (shift - 1);
  const rest = value & ((1 << shift) - 1);
  const whole = value >>> shift;
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole;
}
