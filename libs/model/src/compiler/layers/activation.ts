import type { GraphBuilder } from '../onnx/graph-builder.js';
import { addBias } from './bias.js';
import type { Product } from './linear.js';

/** `erf` is GELU's exact form, `tanh` the usual approximation, `sigmoid` the coarse one. */
export type Activation = 'erf' | 'tanh' | 'sigmoid' | 'silu' | 'relu';

/** Activations by their names in `config.json`. */
export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: 'erf',
  gelu_new: 'tanh',
  gelu_python: 'erf',
  gelu_pytorch_tanh: 'tanh',
  gelu_python_tanh: 'tanh',
  gelu_fast: 'tanh',
  gelu_accurate: 'tanh',
  quick_gelu: 'sigmoid',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** Applies an activation to a product; ONNX Runtime adds a bias in the same operator where it is GELU. */
export function addActivation(graph: GraphBuilder, name: string, product: Product, activation: Activation): string {
  const { value, bias } = product;
  if (activation === 'tanh') return graph.fused('FastGelu', name, bias === null ? [value] : [value, bias]);
  if (activation === 'erf') {
    return bias === null ? graph.fused('Gelu', name, [value]) : graph.fused('BiasGelu', name, [value, bias]);
  }
  const input = addBias(graph, name, product);
  if (activation === 'relu') return graph.node('Relu', name, [input]);
  // QuickGelu is x * sigmoid(alpha * x).
  return graph.fused('QuickGelu', name, [input], { alpha: { float: activation === 'silu' ? 1 : 1.702 } });
}
