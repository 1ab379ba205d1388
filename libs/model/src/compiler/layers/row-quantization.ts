import type { GraphBuilder } from '../onnx/graph-builder.js';
import { FINER } from './refined-activations.js';

/** Names of values. */
export interface RowQuantized {
  /** uint8 `[rows, tokens, size]`, or `[rows, tokens, 2 * size]` for two steps. */
  readonly values: string;
  /** float `[rows, tokens, 1]`. */
  readonly scales: string;
  /** Scale and zero point of all values before `scales`: 1 and 128. */
  readonly one: string;
  readonly zero: string;
}

/** A token's largest magnitude is this many steps. */
const STEPS = 127;
/** Keeps the scale of a token whose channels are all 0 from being 0. */
const LEAST = 1e-20;

/**
 * Quantises activations `[rows, tokens, size]` to uint8 with a scale for each token, so that a token's values do not
 * depend on the others of its batch.
 * @param refined whether the remaining error is quantised again, as in `addRefinedQuantization`
 */
export function addRowQuantization(graph: GraphBuilder, name: string, input: string, refined: boolean): RowQuantized {
  const [one, zero] = [graph.scalar(`${name}.one`, 1), graph.byte(`${name}.zero`, STEPS + 1)];
  const sizes = graph.node('Abs', `${name}.sizes`, [input]);
  const largest = graph.along(-1, 'ReduceMax', `${name}.largest`, sizes, { keepdims: 1 });
  const positive = graph.node('Max', `${name}.positive`, [largest, graph.scalar(`${name}.least`, LEAST)]);
  const scales = graph.node('Mul', `${name}.scales`, [positive, graph.scalar(`${name}.step`, 1 / STEPS)]);
  const steps = graph.node('Div', `${name}.steps`, [input, scales]);
  const coarse = graph.node('QuantizeLinear', `${name}.coarse`, [steps, one, zero]);
  if (!refined) return { values: coarse, scales, one, zero };
  const reached = graph.node('DequantizeLinear', `${name}.reached`, [coarse, one, zero]);
  const left = graph.node('Sub', `${name}.left`, [steps, reached]);
  const fine = graph.node('QuantizeLinear', `${name}.fine`, [left, graph.scalar(`${name}.ratio`, 1 / FINER), zero]);
  return { values: graph.node('Concat', `${name}.both`, [coarse, fine], { axis: -1 }), scales, one, zero };
}
