import type { GraphBuilder } from '../onnx/graph-builder.js';

/** What attention adds to the score of a query and a key, by how many tokens the key comes after the query. */
export interface DistanceBias {
  readonly heads: number;
  /** Maximum number of tokens of a text. */
  readonly positions: number;
  /** @param distance from `1 - positions` to `positions - 1` */
  at(head: number, distance: number): number;
}

/**
 * Looks up the bias of every pair of tokens in a table of all distances, once for all layers.
 * @returns `[1, heads, tokens, tokens]`, in the graph's own precision
 */
export async function addDistanceBias(
  graph: GraphBuilder,
  name: string,
  { heads, positions, at }: DistanceBias,
): Promise<string> {
  const distances = 2 * positions - 1;
  const data = Float32Array.from({ length: heads * distances }, (_, i) =>
    at(Math.floor(i / distances), (i % distances) - (positions - 1)),
  );
  const table = await graph.weight(`${name}.table`, [heads, distances], data);
  const tokens = graph.node('Shape', `${name}.tokens`, [graph.input('input_ids')], { start: 1, end: 2 });
  const start = graph.integers(`${name}.start`, [0]);
  const axis = graph.integers(`${name}.sliced`, [0]);
  // WebGPU slices floats only.
  const floats = graph.provider === 'webgpu';
  const upTo = async (part: string, first: number): Promise<string> => {
    const values = Array.from({ length: positions }, (_, i) => first + i);
    const all = `${name}.${part}.all`;
    const numbers = floats
      ? await graph.constant(all, [positions], Float32Array.from(values))
      : graph.integers(all, values);
    return graph.node('Slice', `${name}.${part}`, [numbers, start, tokens, axis]);
  };
  // Keys count from `positions - 1`, so that a difference is a column of the table.
  const keys = graph.along(0, 'Unsqueeze', `${name}.row`, await upTo('keys', positions - 1));
  const queries = graph.along(1, 'Unsqueeze', `${name}.column`, await upTo('queries', 0));
  const columns = graph.node('Sub', `${name}.columns`, [keys, queries]);
  const indices = floats ? graph.cast(`${name}.indices`, columns, 'int32') : columns;
  const biases = graph.node('Gather', `${name}.biases`, [table, indices], { axis: 1 });
  return graph.along(0, 'Unsqueeze', name, biases);
}
