import { BootError } from '#contracts';
import { addActivation } from '../layers/activation.js';
import { addBias } from '../layers/bias.js';
import { floatLinear } from '../layers/float-linear.js';
import type { Product } from '../layers/linear.js';
import { addNorm } from '../layers/residual.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { WeightsReader, Tensor } from '../weights/weights-reader.js';
import type { HeadActivation, LinearPart, NormPart } from './parts.js';

/** The first of some tensors that a checkpoint has; the first of all if it has none, so that an error names it. */
export function nameOf(reader: WeightsReader, names: readonly string[]): string {
  return names.find((name) => reader.has(name)) ?? names[0]!;
}

/** @param shape null for a size that may be any */
export async function readTensor(
  reader: WeightsReader,
  name: string,
  shape: readonly (number | null)[],
): Promise<Tensor> {
  const tensor = await reader.read(name);
  const { length } = tensor.shape;
  if (length === shape.length && shape.every((size, n) => size === null || size === tensor.shape[n])) return tensor;
  const wanted = shape.map((size) => size ?? 'any').join(', ');
  throw new BootError(`the tensor "${name}" is [${tensor.shape.join(', ')}], not [${wanted}]`);
}

/**
 * A linear layer in the graph's own precision: heads are never int8. The next operator adds the bias.
 * @param input `[…, inputs]`
 * @param outputs how many it must have; null: any number
 */
export async function addHeadLinear(
  graph: GraphBuilder,
  name: string,
  input: string,
  reader: WeightsReader,
  { biased, names }: LinearPart,
  outputs: number | null = null,
): Promise<Product> {
  const weight = nameOf(
    reader,
    names.map((one) => `${one}.weight`),
  );
  const weights = await new NamedWeights(reader, '', weight).projection(weight.replace(/\.weight$/, ''), biased);
  const found = weights.matrix.outputs;
  if (outputs !== null && found !== outputs) {
    throw new BootError(`the tensor "${weight}" has ${found} rows, where config.json says ${outputs}`);
  }
  return floatLinear.product(graph, name, input, 'activation', weights);
}

export function addHeadActivation(
  graph: GraphBuilder,
  name: string,
  product: Product,
  activation: HeadActivation,
): string {
  if (activation !== 'tangent') return addActivation(graph, name, product, activation);
  return graph.node('Tanh', name, [addBias(graph, name, product)]);
}

export async function addHeadNorm(
  graph: GraphBuilder,
  name: string,
  input: string,
  reader: WeightsReader,
  { biased, epsilon, name: from }: NormPart,
): Promise<string> {
  // Old checkpoints call scale and shift gamma and beta.
  const read = async (names: readonly string[]) =>
    (
      await reader.read(
        nameOf(
          reader,
          names.map((one) => `${from}.${one}`),
        ),
      )
    ).data;
  const gamma = await read(['weight', 'gamma']);
  const beta = biased ? await read(['bias', 'beta']) : null;
  return addNorm(graph, name, input, { kind: 'layer', gamma, beta, epsilon });
}
