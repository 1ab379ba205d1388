import type { GraphBuilder } from '../onnx/graph-builder.js';
import { beside, concat } from '../weights/matrix.js';
import type { LinearWeights } from '../weights/named-weights.js';
import { addBias } from './bias.js';
import { addBiasedAttention } from './biased-attention.js';
import type { Linear } from './linear.js';
import { addSightBias } from './sight.js';

export interface SelfAttention {
  /** `[rows, tokens, hidden]`. */
  readonly input: string;
  /** `[rows]`, int32: number of real tokens in each row; not used for WebGPU. */
  readonly lengths: string;
  readonly heads: number;
  /** `[1, heads, tokens, tokens]`, added to the scaled scores of queries and keys. */
  readonly scoreBias?: string | undefined;
}

/**
 * Self-attention of each token of a row to the row's real tokens; one matrix projects queries, keys and values.
 * @param projections of queries, keys and values, in this order
 * @returns `[rows, tokens, hidden]`, before the projection that follows attention
 */
export async function addSelfAttention(
  graph: GraphBuilder,
  linear: Linear,
  name: string,
  { input, lengths, heads, scoreBias }: SelfAttention,
  projections: readonly LinearWeights[],
): Promise<string> {
  const inputs = projections[0]!.matrix.inputs;
  const outputs = projections.reduce((sum, { matrix }) => sum + matrix.outputs, 0);
  const data = beside(
    projections.map(({ matrix }) => matrix.data),
    inputs,
  );
  const bias = concat(projections.map(({ bias }) => bias));
  const packed = { data, inputs, outputs };
  if (graph.provider !== 'webgpu') {
    return linear.attention(graph, name, input, lengths, { packed, bias, heads }, scoreBias);
  }
  const product = await linear.product(graph, `${name}.all`, input, 'norm', { matrix: packed, bias });
  const parts = [`${name}.queries`, `${name}.keys`, `${name}.values`] as const;
  const all = addBias(graph, `${name}.all`, product);
  graph.node('Split', `${name}.parts`, [all], { axis: -1, num_outputs: 3 }, { outputs: parts });
  return addProjectedAttention(graph, name, { input, lengths, heads, scoreBias }, parts, outputs / 3 / heads);
}

/**
 * Self-attention whose queries, keys and values are computed already, `[rows, tokens, heads * size]` each.
 * @returns `[rows, tokens, heads * size]`
 */
export function addProjectedAttention(
  graph: GraphBuilder,
  name: string,
  { lengths, heads, scoreBias }: SelfAttention,
  parts: readonly [queries: string, keys: string, values: string],
  size: number,
): string {
  if (graph.provider !== 'webgpu') {
    return graph.fused('MultiHeadAttention', name, [...parts, '', lengths, scoreBias ?? ''], { num_heads: heads });
  }
  const sight = addSightBias(graph, { causal: false, distance: null });
  const both = (bias: string) => graph.once(`${bias}.sighted`, (sum) => graph.node('Add', sum, [bias, sight]));
  return addBiasedAttention(graph, name, {
    parts,
    heads,
    size,
    scoreBias: scoreBias === undefined ? sight : both(scoreBias),
  });
}
