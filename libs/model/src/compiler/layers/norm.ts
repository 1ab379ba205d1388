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
