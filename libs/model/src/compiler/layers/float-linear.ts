import type { Linear } from './linear.js';

/** Linear layers in the graph's own precision, fp32 or fp16. The operator after `product` adds the bias. */
export const floatLinear: Linear = {
  name: 'float',

  async product(graph, name, input, _from, { matrix, bias }) {
    const weights = await graph.weight(`${name}.matrix`, [matrix.inputs, matrix.outputs], matrix.data);
    return {
      value: graph.node('MatMul', name, [input, weights]),
      bias: bias === null ? null : await graph.weight(`${name}.bias`, [matrix.outputs], bias),
    };
  },

  async attention(graph, name, input, lengths, { packed, bias, heads }, scoreBias) {
    const weights = await graph.weight(`${name}.matrix`, [packed.inputs, packed.outputs], packed.data);
    const biases = await graph.weight(`${name}.bias`, [packed.outputs], bias);
    const inputs = [input, weights, biases, lengths, ...(scoreBias === undefined ? [] : ['', scoreBias])];
    return graph.fused('Attention', name, inputs, { num_heads: heads });
  },
};
