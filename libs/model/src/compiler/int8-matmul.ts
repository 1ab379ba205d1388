import type { GraphBuilder } from './graph-builder.js';
import type { Matrix } from './matrix.js';
import { quantizeColumns } from './quantize.js';
import { refineMatrix, type RefinedActivations } from './refined-activations.js';

/**
 * `input x matrix + bias` with weights as int8 and activations as uint8, one scale for the whole tensor: fast, and good
 * where no activation is far larger than the rest.
 * @param bias a value `[outputs]`
 * @returns `[rows, tokens, outputs]`
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

/**
 * The same with activations quantised in two steps.
 * @param bias a value `[outputs]`
 * @returns `[rows, tokens, outputs]`
 */
export async function addRefinedMatMul(
  graph: GraphBuilder,
  name: string,
  { values: input, scale, zeroPoint }: RefinedActivations,
  matrix: Matrix,
  bias: string,
): Promise<string> {
  const weights = await addRefinedMatrix(graph, name, matrix);
  return graph.fused('MatMulIntegerToFloat', name, [input, weights.values, scale, weights.scales, zeroPoint, '', bias]);
}

/**
 * Self-attention whose projection takes activations quantised in two steps; the attention itself is in floats.
 * @param packed queries, keys and values side by side: `[hidden, 3 * hidden]`
 * @param bias a value `[3 * hidden]`
 * @param lengths a value `[rows]`, int32: each row's real tokens
 * @returns `[rows, tokens, hidden]`
 */
export async function addRefinedAttention(
  graph: GraphBuilder,
  name: string,
  { values: input, scale, zeroPoint }: RefinedActivations,
  { packed, bias, lengths, heads }: { packed: Matrix; bias: string; lengths: string; heads: number },
): Promise<string> {
  const weights = await addRefinedMatrix(graph, name, packed);
  const inputs = [input, weights.values, bias, scale, weights.scales, lengths, zeroPoint];
  return graph.fused('QAttention', name, inputs, { num_heads: heads });
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
