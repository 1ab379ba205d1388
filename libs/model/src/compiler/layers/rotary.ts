import type { GraphBuilder } from '../onnx/graph-builder.js';

/** How fast the pairs of a head's channels turn with a token's position: RoFormer (Su et al. 2021). */
export interface Rotation {
  /** The slowest pair turns by about one radian in this many tokens. */
  readonly theta: number;
  /** Changes the frequencies, radians a token, of a head of `size` channels. Default: none. */
  readonly scaling?: (frequencies: Float64Array, size: number) => Float64Array;
}

/** Names of two values `[positions, size / 2]`: cosine and sine of each position's angles. */
export interface RotaryTables {
  readonly cosines: string;
  readonly sines: string;
}

/** Frequencies of a head's pairs of channels, radians a token: `theta ** (-2 i / size)`. */
function frequenciesOf(size: number, { theta, scaling }: Rotation): Float64Array {
  const plain = Float64Array.from({ length: size / 2 }, (_, pair) => theta ** ((-2 * pair) / size));
  return scaling === undefined ? plain : scaling(plain, size);
}

/** Computed in double precision: at position 8,192 a float has only three digits left after the point. */
export async function addRotaryTables(
  graph: GraphBuilder,
  name: string,
  { size, positions }: { size: number; positions: number },
  rotation: Rotation,
): Promise<RotaryTables> {
  const frequencies = frequenciesOf(size, rotation);
  const dims = [positions, frequencies.length];
  const table = (of: (angle: number) => number) =>
    Float32Array.from({ length: positions * frequencies.length }, (_, at) =>
      of(Math.floor(at / frequencies.length) * frequencies[at % frequencies.length]!),
    );
  return {
    cosines: await graph.weight(`${name}.cosines`, dims, table(Math.cos)),
    sines: await graph.weight(`${name}.sines`, dims, table(Math.sin)),
  };
}

/**
 * The fixed "NTK-aware" scaling of GTE: a theta `factor` times as large, and all frequencies divided by `factor ** (2 /
 * size)`, so that the slowest pair turns `factor` times as slowly and the fastest hardly slower.
 */
export function ntkScaling(factor: number): NonNullable<Rotation['scaling']> {
  return (frequencies, size) =>
    frequencies.map((frequency, pair) => frequency * factor ** ((-2 * pair) / size) * factor ** (-2 / size));
}

/** Llama 3.1's scaling: slow pairs turn `factor` times as slowly, fast ones as before, with a ramp between them. */
export function llamaScaling({
  factor,
  low,
  high,
  positions,
}: {
  factor: number;
  /** Turns in `positions` tokens, below which a pair is slow. */
  low: number;
  /** Turns in `positions` tokens, above which a pair is fast. */
  high: number;
  /** Tokens of a text in pretraining. */
  positions: number;
}): NonNullable<Rotation['scaling']> {
  return (frequencies) =>
    frequencies.map((frequency) => {
      const turns = (positions * frequency) / (2 * Math.PI);
      const fast = Math.min(1, Math.max(0, (turns - low) / (high - low)));
      return frequency * (fast + (1 - fast) / factor);
    });
}
