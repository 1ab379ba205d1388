import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Product } from './linear.js';

/** Adds a product's bias, if it has one, by an operator of its own. */
export function addBias(graph: GraphBuilder, name: string, { value, bias }: Product): string {
  return bias === null ? value : graph.node('Add', `${name}.biased`, [value, bias]);
}
