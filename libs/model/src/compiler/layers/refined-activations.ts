import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Matrix } from '../weights/matrix.js';
import { quantizeColumns, toInt8, type QuantizedMatrix } from '../weights/quantize.js';

/**
 * How many times as fine the second step is. Its matrix is the first one divided by this number, and rounded with the
 * same scales: a larger number leaves a smaller error of the activations, but a larger one of that rounding. With
 * weights of about 36 steps root mean square, both errors are equal and their sum is least near 11: a fiftieth of the
 * error's power is left.
 */
export const FINER = 11;

/** Names of values: uint8 `[rows, tokens, 2 * size]`, and its scale and zero point, which are scalars. */
export interface RefinedActivations {
  readonly values: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

/**
 * Quantises activations `[rows, tokens, size]` in two steps: to uint8, and then the remaining error to uint8 again,
 * `FINER` times as fine. Both results are concatenated in the last dimension, so that one integer product with the
 * matrix of `refineMatrix` adds them up.
 *
 * Layer norms output a few channels ten times as large as the rest, and the tensor's only scale must cover them: with
 * one step, the other channels would have only a few levels.
 *
 * The second step uses the zero point of the first, since the operator takes only one. It would be clipped if all
 * activations had the same sign, but those of a layer norm do not.
 */
export function addRefinedQuantization(graph: GraphBuilder, name: string, input: string): RefinedActivations {
  const [coarse, scale, zeroPoint] = [`${name}.coarse`, `${name}.scale`, `${name}.zero`];
  graph.node('DynamicQuantizeLinear', coarse, [input], {}, { outputs: [coarse, scale, zeroPoint] });
  const reached = graph.node('DequantizeLinear', `${name}.reached`, [coarse, scale, zeroPoint]);
  const left = graph.node('Sub', `${name}.left`, [input, reached]);
  const finer = graph.node('Mul', `${name}.finer`, [scale, graph.scalar(`${name}.ratio`, 1 / FINER)]);
  const fine = graph.node('QuantizeLinear', `${name}.fine`, [left, finer, zeroPoint]);
  return { values: graph.node('Concat', `${name}.both`, [coarse, fine], { axis: -1 }), scale, zeroPoint };
}

/** The matrices for both steps, one below the other: `[2 * inputs, outputs]`, with one scale per output. */
export function refineMatrix({ data, inputs, outputs }: Matrix): QuantizedMatrix {
  const { values: coarse, scales } = quantizeColumns(data, inputs, outputs);
  const values = new Int8Array(2 * data.length);
  values.set(coarse);
  for (let i = 0; i < data.length; i++) values[data.length + i] = toInt8(data[i]! / FINER, scales[i % outputs]!);
  return { values, scales };
}
