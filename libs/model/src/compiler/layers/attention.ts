import type { GraphBuilder } from '../onnx/graph-builder.js';
import { beside, concat } from '../weights/matrix.js';
import type { LinearWeights } from '../weights/named-weights.js';
import type { Linear } from './linear.js';

export interface SelfAttention {
  /** `[rows, tokens, hidden]`. */
  readonly input: string;
  /** `[rows]`, int32: number of real tokens in each row. */
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
  return linear.attention(graph, name, input, lengths, { packed: { data, inputs, outputs }, bias, heads }, scoreBias);
}
