import type { NamedTensor } from './random-model.js';
import { dot, softmax, sum } from './reference-forward.js';

/** One vector a token. */
export type Rows = number[][];

/**
 * Layers of encoders with rotary positions in plain loops and double precision, each straight from its definition. The
 * forward pass of an architecture is written with them in its own spec.
 */
export class PlainLayers {
  readonly #tensors: ReadonlyMap<string, NamedTensor>;

  constructor(tensors: ReadonlyMap<string, NamedTensor>) {
    this.#tensors = tensors;
  }

  vector(name: string): number[] {
    return [...this.#tensors.get(name)!.data];
  }

  matrix(name: string): Rows {
    const { shape, data } = this.#tensors.get(name)!;
    const columns = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, r) => [...data.subarray(r * columns, (r + 1) * columns)]);
  }

  /** With a bias if there is one of that name. */
  linear(rows: Rows, name: string): Rows {
    const weight = this.matrix(`${name}.weight`);
    const bias = this.#tensors.has(`${name}.bias`) ? this.vector(`${name}.bias`) : null;
    return rows.map((row) => weight.map((w, o) => dot(row, w) + (bias?.[o] ?? 0)));
  }

  /** With a shift if there is one of that name. */
  layerNorm(rows: Rows, name: string, epsilon: number): Rows {
    const gamma = this.vector(`${name}.weight`);
    const beta = this.#tensors.has(`${name}.bias`) ? this.vector(`${name}.bias`) : null;
    return rows.map((row) => {
      const mean = sum(row) / row.length;
      const variance = sum(row.map((x) => (x - mean) ** 2)) / row.length;
      return row.map((x, d) => ((x - mean) / Math.sqrt(variance + epsilon)) * gamma[d]! + (beta?.[d] ?? 0));
    });
  }

  /** @param unit what the weights are the difference from */
  rmsNorm(rows: Rows, name: string, epsilon: number, unit = 0): Rows {
    const gamma = this.vector(`${name}.weight`);
    return rows.map((row) => {
      const size = Math.sqrt(sum(row.map((x) => x ** 2)) / row.length + epsilon);
      return row.map((x, d) => (x / size) * (unit + gamma[d]!));
    });
  }
}

export interface PlainAttention {
  readonly heads: number;
  readonly keyHeads: number;
  /** Default: `1 / sqrt(size of a head)`. */
  readonly scale?: number;
  /** Whether the token at position `from` attends to the one at `to`. Default: always. */
  readonly sees?: (from: number, to: number) => boolean;
  /** What is done to each head of queries and keys before attention, such as `turn`. */
  readonly prepare: (head: number[], position: number, kind: 'query' | 'key') => number[];
}

/** Attention of heads that share keys and values. Queries are `[tokens, heads * size]`. */
export function attend(
  queries: Rows,
  keys: Rows,
  values: Rows,
  { heads, keyHeads, scale, sees = () => true, prepare }: PlainAttention,
): Rows {
  const size = queries[0]!.length / heads;
  const part = (row: number[], head: number) => row.slice(head * size, (head + 1) * size);
  return queries.map((row, from) =>
    Array.from({ length: heads }, (_, head) => {
      const shared = Math.floor((head * keyHeads) / heads);
      const query = prepare(part(row, head), from, 'query');
      const seen = keys.map((_key, to) => to).filter((to) => sees(from, to));
      const scores = seen.map(
        (to) => dot(query, prepare(part(keys[to]!, shared), to, 'key')) * (scale ?? 1 / Math.sqrt(size)),
      );
      const shares = softmax(scores);
      return Array.from({ length: size }, (_channel, d) =>
        sum(seen.map((to, at) => shares[at]! * values[to]![shared * size + d]!)),
      );
    }).flat(),
  );
}

/** Turns channel `i` together with channel `i + size / 2`, by `position * frequency(i)` radians. */
export function turn(head: number[], position: number, frequency: (pair: number) => number): number[] {
  const half = head.length / 2;
  return head.map((x, d) => {
    const angle = position * frequency(d % half);
    const other = d < half ? -head[d + half]! : head[d - half]!;
    return x * Math.cos(angle) + other * Math.sin(angle);
  });
}

/** The usual frequencies: `theta ** (-2 i / size)`. */
export function frequencies(theta: number, size: number): (pair: number) => number {
  return (pair) => 1 / theta ** ((2 * pair) / size);
}

export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

export function mean(rows: Rows): number[] {
  return rows[0]!.map((_, d) => sum(rows.map((row) => row[d]!)) / rows.length);
}
