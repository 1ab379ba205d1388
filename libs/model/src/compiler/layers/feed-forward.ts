import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { LinearWeights } from '../weights/named-weights.js';
import type { Linear, Product } from './linear.js';

/** `erf` is GELU's exact form, `tanh` the usual approximation. */
export type Gelu = 'erf' | 'tanh';

/** Two linear layers with an activation between them: `[rows, tokens, hidden]` to `[rows, tokens, hidden]`. */
export async function addFeedForward(
  graph: GraphBuilder,
  linear: Linear,
  name: string,
  input: string,
  { wide, narrow, gelu }: { wide: LinearWeights; narrow: LinearWeights; gelu: Gelu },
): Promise<Product> {
  const product = await linear.product(graph, `${name}.wide`, input, 'norm', wide);
  const active = addGelu(graph, `${name}.gelu`, product, gelu);
  return linear.product(graph, `${name}.narrow`, active, 'activation', narrow);
}

function addGelu(graph: GraphBuilder, name: string, { value, bias }: Product, gelu: Gelu): string {
  const inputs = bias === null ? [value] : [value, bias];
  if (gelu === 'tanh') return graph.fused('FastGelu', name, inputs);
  return graph.fused(bias === null ? 'Gelu' : 'BiasGelu', name, inputs);
}
