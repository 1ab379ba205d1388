import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Projection } from '../weights/named-weights.js';
import { addBias } from './bias.js';
import type { Linear, Product } from './linear.js';
import type { AddForward } from './post-norm-layers.js';

/** `erf` and `tanh` are the two forms of GELU; SiLU is `x * sigmoid(x)`. */
export type GateActivation = 'erf' | 'tanh' | 'silu';

export interface GatedFeedForward {
  /** `[hidden, 2 * inner]`: the gate, which goes through the activation, and the other half, which it multiplies. */
  readonly wide: Projection;
  readonly gate: 'first' | 'second';
  /** `[inner, hidden]`. */
  readonly narrow: Projection;
  readonly activation: GateActivation;
}

/** `(activation(input x gate) * (input x other half)) x narrow`, `[rows, tokens, hidden]`. */
export async function addGatedFeedForward(
  graph: GraphBuilder,
  linear: Linear,
  name: string,
  input: string,
  { wide, gate: half, narrow, activation }: GatedFeedForward,
): Promise<Product> {
  const both = addBias(graph, `${name}.wide`, await linear.product(graph, `${name}.wide`, input, 'norm', wide));
  const [gate, other] = [`${name}.gate`, `${name}.other`];
  graph.node(
    'Split',
    gate,
    [both],
    { axis: -1, num_outputs: 2 },
    { outputs: half === 'first' ? [gate, other] : [other, gate] },
  );
  const active = addActivation(graph, `${name}.active`, gate, activation);
  const gated = graph.node('Mul', `${name}.gated`, [active, other]);
  return linear.product(graph, `${name}.narrow`, gated, 'activation', narrow);
}

function addActivation(graph: GraphBuilder, name: string, input: string, activation: GateActivation): string {
  if (activation === 'silu') return graph.fused('QuickGelu', name, [input], { alpha: { float: 1 } });
  return graph.fused(activation === 'tanh' ? 'FastGelu' : 'Gelu', name, [input]);
}

/** The same as a layer's second branch. */
export function gatedForward(parts: GatedFeedForward): AddForward {
  return (graph, linear, at, input) => addGatedFeedForward(graph, linear, at, input, parts);
}
