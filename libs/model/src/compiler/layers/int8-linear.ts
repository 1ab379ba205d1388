import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Matrix } from '../weights/matrix.js';
import { quantizeColumns } from '../weights/quantize.js';
import { floatLinear } from './float-linear.js';
import type { InputKind, Linear } from './linear.js';
import { addRefinedQuantization, refineMatrix } from './refined-activations.js';

/** Quantisation steps of a product's activations, by their origin; docs/compiler.md has the cost and gain of each. */
const STEPS: Record<InputKind, 'one' | 'two' | 'float'> = {
  norm: 'two',
  attention: 'one',
  // On the widest of all tensors, two steps would take as long as the float product.
  activation: 'float',
};

/**
 * Linear layers with int8 matrices (one scale per column) and uint8 activations (one scale for all tokens of a batch, so
 * that a text's vector depends a little on the others); attention in floats. `rowInt8Linear` has no such dependence.
 */
export const int8Linear: Linear = {
  name: 'int8',

  async product(graph, name, input, from, { matrix, bias }) {
    if (STEPS[from] === 'float') return floatLinear.product(graph, name, input, from, { matrix, bias });
    const biases = bias === null ? '' : await graph.weight(`${name}.bias`, [matrix.outputs], bias);
    const add = STEPS[from] === 'one' ? addInt8MatMul : addRefinedMatMul;
    return { value: await add(graph, name, input, matrix, biases), bias: null };
  },

  async attention(graph, name, input, lengths, { packed, bias, heads }, scoreBias) {
    if (scoreBias !== undefined) {
      // QAttention takes no bias of scores.
      const biases = await graph.weight(`${name}.bias`, [packed.outputs], bias);
      const all = await addRefinedMatMul(graph, `${name}.all`, input, packed, biases);
      const parts = ['queries', 'keys', 'values'].map((part) => `${name}.${part}`);
      graph.node('Split', `${name}.parts`, [all], { axis: -1, num_outputs: 3 }, { outputs: parts });
      return graph.fused('MultiHeadAttention', name, [...parts, '', lengths, scoreBias], { num_heads: heads });
    }
    const { values, scale, zeroPoint } = addRefinedQuantization(graph, `${name}.input`, input);
    const biases = await graph.weight(`${name}.bias`, [packed.outputs], bias);
    const weights = await addRefinedMatrix(graph, name, packed);
    const inputs = [values, weights.values, biases, scale, weights.scales, lengths, zeroPoint];
    return graph.fused('QAttention', name, inputs, { num_heads: heads });
  },
};

/**
 * Adds a product with one quantisation step: fast, and accurate if no activation is far larger than the rest.
 * @param bias `''` for none
 */
export async function addInt8MatMul(
  graph: GraphBuilder,
  name: string,
  input: string,
  matrix: Matrix,
  bias: string,
): Promise<string> {
  const { values, scales } = quantizeColumns(matrix.data, matrix.inputs, matrix.outputs);
  return graph.fused('DynamicQuantizeMatMul', name, [
    input,
    await graph.constant(`${name}.matrix`, [matrix.inputs, matrix.outputs], values),
    await graph.constant(`${name}.scales`, [matrix.outputs], scales),
    '',
    bias,
  ]);
}

/** Adds a product with two quantisation steps of the activations. */
export async function addRefinedMatMul(
  graph: GraphBuilder,
  name: string,
  input: string,
  matrix: Matrix,
  bias: string,
): Promise<string> {
  const { values, scale, zeroPoint } = addRefinedQuantization(graph, `${name}.input`, input);
  const weights = await addRefinedMatrix(graph, name, matrix);
  return graph.fused('MatMulIntegerToFloat', name, [
    values,
    weights.values,
    scale,
    weights.scales,
    zeroPoint,
    '',
    bias,
  ]);
}

async function addRefinedMatrix(
  graph: GraphBuilder,
  name: string,
  matrix: Matrix,
): Promise<{ values: string; scales: string }> {
  const { values, scales } = refineMatrix(matrix);
  return {
    values: await graph.constant(`${name}.matrix`, [2 * matrix.inputs, matrix.outputs], values),
    scales: await graph.constant(`${name}.scales`, [matrix.outputs], scales),
  };
}
