import type { Embedded } from './embeddings.js';
import type { EncoderConfig } from './encoder-config.js';
import type { EncoderWeights } from './encoder-weights.js';
import type { GraphBuilder } from './graph-builder.js';
import { addInt8MatMul, addRefinedAttention, addRefinedMatMul } from './int8-matmul.js';
import { beside, concat, type Matrix } from './matrix.js';
import { addRefinedQuantization } from './refined-activations.js';

/** Whether matrices are kept as floats, or as int8 but for the last of each layer. */
export type MatrixKind = 'float' | 'int8';

/** One transformer layer after BERT: self-attention, then two linear layers, each with a residual and a layer norm. */
export async function addEncoderLayer(
  graph: GraphBuilder,
  weights: EncoderWeights,
  config: EncoderConfig,
  kind: MatrixKind,
  index: number,
  { hidden, lengths }: Embedded,
): Promise<string> {
  const from = `encoder.layer.${index}`;
  const at = `layer${index}`;
  const attention = await addAttention(graph, weights, config, kind, index, { hidden, lengths });
  const mix = await weights.matrix(`${from}.attention.output.dense`);
  const mixBias = await addBias(graph, weights, `${at}.mix.bias`, `${from}.attention.output.dense`);
  const attended = await addSkipNorm(graph, weights, config, `${at}.attended`, {
    ...(kind === 'int8'
      ? { branch: await addInt8MatMul(graph, `${at}.mix`, attention, mix, mixBias) }
      : { branch: await addMatMul(graph, `${at}.mix`, attention, mix), bias: mixBias }),
    skip: hidden,
    norm: `${from}.attention.output.LayerNorm`,
  });
  const active = await addActivated(graph, weights, config, kind, index, attended);
  // Floats in int8 graphs too: after GELU a few numbers are a hundred times as large as the usual ones, and two steps
  // of quantisation on the widest tensor of all would take as long as this product.
  const narrow = await addMatMul(graph, `${at}.narrow`, active, await weights.matrix(`${from}.output.dense`));
  return addSkipNorm(graph, weights, config, `${at}.output`, {
    branch: narrow,
    bias: await addBias(graph, weights, `${at}.narrow.bias`, `${from}.output.dense`),
    skip: attended,
    norm: `${from}.output.LayerNorm`,
  });
}

async function addAttention(
  graph: GraphBuilder,
  weights: EncoderWeights,
  config: EncoderConfig,
  kind: MatrixKind,
  index: number,
  { hidden, lengths }: Embedded,
): Promise<string> {
  const size = config.hiddenSize;
  const at = `layer${index}.attention`;
  const parts = ['query', 'key', 'value'].map((part) => `encoder.layer.${index}.attention.self.${part}`);
  const matrices = await Promise.all(parts.map((part) => weights.matrix(part)));
  const packed: Matrix = {
    data: beside(
      matrices.map(({ data }) => data),
      size,
    ),
    inputs: size,
    outputs: 3 * size,
  };
  const biases = concat(await Promise.all(parts.map((part) => weights.bias(part))));
  const bias = await graph.weight(`${at}.bias`, [3 * size], biases);
  if (kind === 'int8') {
    const input = addRefinedQuantization(graph, `${at}.input`, hidden);
    return addRefinedAttention(graph, at, input, { packed, bias, lengths, heads: config.heads });
  }
  const matrix = await graph.weight(`${at}.matrix`, [size, 3 * size], packed.data);
  return graph.fused('Attention', at, [hidden, matrix, bias, lengths], { num_heads: config.heads });
}

/** The first of the two linear layers, and its activation: `[rows, tokens, intermediate]`. */
async function addActivated(
  graph: GraphBuilder,
  weights: EncoderWeights,
  { gelu }: EncoderConfig,
  kind: MatrixKind,
  index: number,
  attended: string,
): Promise<string> {
  const from = `encoder.layer.${index}.intermediate.dense`;
  const at = `layer${index}`;
  const matrix = await weights.matrix(from);
  const bias = await addBias(graph, weights, `${at}.gelu.bias`, from);
  if (kind === 'int8') {
    const input = addRefinedQuantization(graph, `${at}.wide.input`, attended);
    const wide = await addRefinedMatMul(graph, `${at}.wide`, input, matrix, bias);
    return graph.fused(gelu === 'erf' ? 'Gelu' : 'FastGelu', `${at}.gelu`, [wide]);
  }
  const wide = await addMatMul(graph, `${at}.wide`, attended, matrix);
  return graph.fused(gelu === 'erf' ? 'BiasGelu' : 'FastGelu', `${at}.gelu`, [wide, bias]);
}

async function addMatMul(
  graph: GraphBuilder,
  name: string,
  input: string,
  { data, inputs, outputs }: Matrix,
): Promise<string> {
  return graph.node('MatMul', name, [input, await graph.weight(`${name}.matrix`, [inputs, outputs], data)]);
}

async function addBias(graph: GraphBuilder, weights: EncoderWeights, name: string, from: string): Promise<string> {
  const bias = await weights.bias(from);
  return graph.weight(name, [bias.length], bias);
}

/** @param from its `bias` is left out where the branch has it already */
async function addSkipNorm(
  graph: GraphBuilder,
  weights: EncoderWeights,
  config: EncoderConfig,
  name: string,
  from: { branch: string; skip: string; norm: string; bias?: string },
): Promise<string> {
  const size = [config.hiddenSize];
  const { gamma, beta } = await weights.layerNorm(from.norm);
  return graph.fused(
    'SkipLayerNormalization',
    name,
    [
      from.branch,
      from.skip,
      await graph.weight(`${name}.gamma`, size, gamma),
      await graph.weight(`${name}.beta`, size, beta),
      ...(from.bias === undefined ? [] : [from.bias]),
    ],
    { epsilon: { float: config.layerNormEpsilon } },
  );
}
