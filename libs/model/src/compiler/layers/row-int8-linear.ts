import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Matrix } from '../weights/matrix.js';
import { quantizeColumns } from '../weights/quantize.js';
import type { InputKind, Linear } from './linear.js';
import { refineMatrix } from './refined-activations.js';
import { addRowQuantization } from './row-quantization.js';

/** Whether a product's activations are quantised in two steps, by their origin. */
const REFINED: Record<InputKind, boolean> = { norm: true, attention: false, activation: true };

/**
 * Linear layers with int8 matrices (one scale per column) and uint8 activations with a scale for each token: a text's
 * vector does not depend on the others of its batch. Attention in floats.
 */
export const rowInt8Linear: Linear = {
  name: 'int8 by rows',

  async product(graph, name, input, from, { matrix, bias }) {
    return {
      value: await addRowProduct(graph, name, input, matrix, REFINED[from]),
      bias: bias === null ? null : await graph.weight(`${name}.bias`, [matrix.outputs], bias),
    };
  },

  async attention(graph, name, input, lengths, { packed, bias, heads }, scoreBias) {
    const all = await addRowProduct(graph, `${name}.all`, input, packed, REFINED.norm);
    const parts = ['queries', 'keys', 'values'].map((part) => `${name}.${part}`);
    graph.node('Split', `${name}.parts`, [all], { axis: -1, num_outputs: 3 }, { outputs: parts });
    const biases = await graph.weight(`${name}.bias`, [packed.outputs], bias);
    const inputs = [...parts, biases, lengths, ...(scoreBias === undefined ? [] : [scoreBias])];
    return graph.fused('MultiHeadAttention', name, inputs, { num_heads: heads });
  },
};

/** Adds a product `[rows, tokens, outputs]` of activations with a scale for each token. */
export async function addRowProduct(
  graph: GraphBuilder,
  name: string,
  input: string,
  matrix: Matrix,
  refined: boolean,
): Promise<string> {
  const quantized = addRowQuantization(graph, `${name}.input`, input, refined);
  const { values, scales } = refined
    ? refineMatrix(matrix)
    : quantizeColumns(matrix.data, matrix.inputs, matrix.outputs);
  const rows = (refined ? 2 : 1) * matrix.inputs;
  const weights = await graph.constant(`${name}.matrix`, [rows, matrix.outputs], values);
  const columns = await graph.constant(`${name}.scales`, [matrix.outputs], scales);
  const inputs = [quantized.values, weights, quantized.one, columns, quantized.zero];
  const steps = graph.fused('MatMulIntegerToFloat', `${name}.integer`, inputs);
  return graph.node('Mul', name, [steps, quantized.scales]);
}
