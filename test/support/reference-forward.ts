import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pooling } from '#contracts';

type Vector = number[];
type Matrix = Vector[];

/**
 * The forward pass of a BERT-like encoder in plain loops and double precision, straight from its definition: what the
 * compiled graphs are checked against. Reads a folder as `random-model.ts` writes it.
 * @param ids one input's token ids, without padding
 * @param types token types, one an id; default all 0
 */
export function referenceForward(
  folder: string,
  ids: readonly number[],
  { pooling, types = ids.map(() => 0) }: { pooling: Pooling; types?: readonly number[] },
): Vector {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;
  const tensors = readTensors(join(folder, 'model.safetensors'));
  const matrix = (name: string): Matrix => {
    const { shape, data } = tensors.get(name)!;
    const columns = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, r) => [...data.subarray(r * columns, (r + 1) * columns)]);
  };
  const vector = (name: string): Vector => [...tensors.get(name)!.data];
  const linear = (rows: Matrix, name: string): Matrix => {
    const weight = matrix(`${name}.weight`);
    const bias = vector(`${name}.bias`);
    return rows.map((row) => weight.map((w, o) => dot(row, w) + bias[o]!));
  };
  const norm = (rows: Matrix, name: string): Matrix => {
    const gamma = vector(`${name}.weight`);
    const beta = vector(`${name}.bias`);
    return rows.map((row) => {
      const mean = sum(row) / row.length;
      const variance = sum(row.map((x) => (x - mean) ** 2)) / row.length;
      return row.map((x, d) => ((x - mean) / Math.sqrt(variance + config.layer_norm_eps)) * gamma[d]! + beta[d]!);
    });
  };

  const words = matrix('embeddings.word_embeddings.weight');
  const positions = matrix('embeddings.position_embeddings.weight');
  const typeVectors = matrix('embeddings.token_type_embeddings.weight');
  const places = config.model_type === 'bert' ? ids.map((_, t) => t) : placesAfter(config.pad_token_id, ids);
  let hidden = norm(
    ids.map((id, t) => words[id]!.map((x, d) => x + positions[places[t]!]![d]! + typeVectors[types[t]!]![d]!)),
    'embeddings.LayerNorm',
  );
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `encoder.layer.${layer}`;
    const [q, k, v] = ['query', 'key', 'value'].map((part) => linear(hidden, `${at}.attention.self.${part}`));
    const size = config.hidden_size / config.num_attention_heads;
    const mixed = hidden.map((row) => row.map(() => 0));
    for (let head = 0; head < config.num_attention_heads; head++) {
      const part = (row: Vector) => row.slice(head * size, (head + 1) * size);
      for (let t = 0; t < ids.length; t++) {
        const shares = softmax(k!.map((key) => dot(part(q![t]!), part(key)) / Math.sqrt(size)));
        for (let d = 0; d < size; d++)
          mixed[t]![head * size + d] = sum(shares.map((share, s) => share * v![s]![head * size + d]!));
      }
    }
    const attended = norm(
      add(linear(mixed, `${at}.attention.output.dense`), hidden),
      `${at}.attention.output.LayerNorm`,
    );
    const wide = linear(attended, `${at}.intermediate.dense`).map((row) =>
      row.map((x) => activate(x, config.hidden_act)),
    );
    hidden = norm(add(linear(wide, `${at}.output.dense`), attended), `${at}.output.LayerNorm`);
  }

  return poolPlainly(hidden, pooling);
}

/** Rows of the position table where tokens are counted from after the padding id, and padding tokens are not counted. */
export function placesAfter(padding: number, ids: readonly number[]): number[] {
  let last = padding;
  return ids.map((id) => (id === padding ? padding : ++last));
}

/** Pools hidden states `[tokens, hidden]`; the vectors of several modes follow each other. */
export function poolPlainly(hidden: readonly Vector[], pooling: Pooling): Vector {
  const tokens = hidden.length;
  const columns = hidden[0]!.map((_, d) => hidden.map((row) => row[d]!));
  return pooling.split('+').flatMap((mode) =>
    columns.map((column) => {
      switch (mode) {
        case 'cls':
          return column[0]!;
        case 'max':
          return Math.max(...column);
        case 'mean':
          return sum(column) / tokens;
        case 'mean_sqrt_len_tokens':
          return sum(column) / Math.sqrt(tokens);
        case 'weightedmean':
          return sum(column.map((x, t) => x * (t + 1))) / ((tokens * (tokens + 1)) / 2);
        case 'lasttoken':
          return column.at(-1)!;
        default:
          throw new Error(`no pooling is called ${mode}`);
      }
    }),
  );
}

interface Config {
  readonly model_type: string;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  readonly pad_token_id: number;
}

export function readTensors(path: string): Map<string, { shape: number[]; data: Float32Array }> {
  const file = readFileSync(path);
  const headerBytes = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const bytes = Uint8Array.from(file.subarray(8 + headerBytes + from, 8 + headerBytes + to));
        return [name, { shape, data: new Float32Array(bytes.buffer) }];
      },
    ),
  );
}

/** An activation by its name in `config.json`. */
export function activate(x: number, kind: string): number {
  if (kind === 'relu') return Math.max(0, x);
  if (kind === 'silu' || kind === 'swish') return x / (1 + Math.exp(-x));
  if (kind === 'quick_gelu') return x / (1 + Math.exp(-1.702 * x));
  if (kind === 'gelu' || kind === 'gelu_python') return (x * (1 + erf(x / Math.SQRT2))) / 2;
  return (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2;
}

/** By its power series, which converges for every x; far out the value is 1 to double precision. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; n < 120; n++) {
    term *= -(x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

export function softmax(values: Vector): Vector {
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - top));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

export function add(a: Matrix, b: Matrix): Matrix {
  return a.map((row, r) => row.map((x, d) => x + b[r]![d]!));
}

export function dot(a: Vector, b: Vector): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

export function sum(values: Vector): number {
  return values.reduce((total, value) => total + value, 0);
}
