import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Projection } from '../weights/named-weights.js';
import { addActivation, type Activation } from './activation.js';
import type { Linear, Product } from './linear.js';

/** Two linear layers with an activation between them: `[rows, tokens, hidden]` to `[rows, tokens, hidden]`. */
export async function addFeedForward(
  graph: GraphBuilder,
  linear: Linear,
  name: string,
  input: string,
  { wide, narrow, activation }: { wide: Projection; narrow: Projection; activation: Activation },
): Promise<Product> {
  const product = await linear.product(graph, `${name}.wide`, input, 'norm', wide);
  const active = addActivation(graph, `${name}.gelu`, product, activation);
  return linear.product(graph, `${name}.narrow`, active, 'activation', narrow);
}
