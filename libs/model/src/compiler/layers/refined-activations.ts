import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Matrix } from '../weights/matrix.js';
import { quantizeColumns, toInt8, type QuantizedMatrix } from '../weights/quantize.js';

/**
 * How many times as fine the second step is. Its matrix is the first one divided by this and rounded to the same
 * scales: a larger number leaves less of the activations' error and more of that rounding's. With weights of about 36
 * steps root mean square both are alike, and their sum least, near 11: then a fiftieth of the error's power is left.
 */
const FINER = 11;

/** uint8 `[rows, tokens, 2 * size]`, and the scalars that say what its numbers mean. */
export interface RefinedActivations {
  readonly values: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

/**
 * Quantises activations `[rows, tokens, size]` in two steps: to uint8, and what that left over to uint8 again, `FINER`
 * times as fine. Both stand side by side in the last dimension, so that one integer product with `refineMatrix` adds
 * them up.
 *
 * Layer norms put out a few channels ten times as large as the rest, and one scale for the tensor has to span them: one
 * step alone leaves other channels a few levels.
 *
 * The second step has the zero point of the first, since an operator takes only one: it is cut off where all
 * activations have the same sign, which those of a layer norm do not.
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

/** The matrix for both steps, one below the other: `[2 * inputs, outputs]` with one scale an output. */
export function refineMatrix({ data, inputs, outputs }: Matrix): QuantizedMatrix {
  const { values: coarse, scales } = quantizeColumns(data, inputs, outputs);
  const values = new Int8Array(2 * data.length);
  values.set(coarse);
  for (let i = 0; i < data.length; i++) values[data.length + i] = toInt8(data[i]! / FINER, scales[i % outputs]!);
  return { values, scales };
}
