import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { NormWeights } from '../weights/named-weights.js';
import type { Product } from './linear.js';

/** Layer norm of a branch with its residual connection: `norm(branch + bias + skip)`, `[rows, tokens, hidden]`. */
export async function addSkipNorm(
  graph: GraphBuilder,
  name: string,
  { value, bias }: Product,
  skip: string,
  { gamma, beta }: NormWeights,
  epsilon: number,
): Promise<string> {
  const inputs = [
    value,
    skip,
    await graph.weight(`${name}.gamma`, [gamma.length], gamma),
    await graph.weight(`${name}.beta`, [beta.length], beta),
    ...(bias === null ? [] : [bias]),
  ];
  return graph.fused('SkipLayerNormalization', name, inputs, { epsilon: { float: epsilon } });
}

/** Layer norm of the last dimension. */
export async function addNorm(
  graph: GraphBuilder,
  name: string,
  input: string,
  { gamma, beta }: NormWeights,
  epsilon: number,
): Promise<string> {
  const scale = await graph.weight(`${name}.gamma`, [gamma.length], gamma);
  const shift = await graph.weight(`${name}.beta`, [beta.length], beta);
  return graph.node('LayerNormalization', name, [input, scale, shift], { axis: -1, epsilon: { float: epsilon } });
}
