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
  const upTo = (part: string, first: number): string => {
    const numbers = graph.indices(
      `${name}.${part}.all`,
      Array.from({ length: positions }, (_, i) => first + i),
    );
    return graph.node('Slice', `${name}.${part}`, [numbers, start, tokens, axis]);
  };
  // Keys count from `positions - 1`, so that a difference is a column of the table.
  const keys = graph.along(0, 'Unsqueeze', `${name}.row`, upTo('keys', positions - 1));
  const queries = graph.along(1, 'Unsqueeze', `${name}.column`, upTo('queries', 0));
  const columns = graph.node('Sub', `${name}.columns`, [keys, queries]);
  const biases = graph.node('Gather', `${name}.biases`, [table, columns], { axis: 1 });
  return graph.along(0, 'Unsqueeze', name, biases);
}
