import { nodesOf, type OnnxModel } from './found-graph.js';

/** Operators that find one range for a whole tensor: that of all rows of a batch together. */
const DYNAMIC = ['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM'];

/**
 * The operator by which a row of a graph depends on the other rows of its batch, because numbers are rounded to a scale
 * that is computed from all of them. null: there is none.
 */
export function batchDependence(model: OnnxModel): string | null {
  const weights = new Set((model.graph?.initializer ?? []).map(({ name }) => name));
  const nodes = [...nodesOf(model)];
  for (const { opType, output } of nodes) if (opType === 'Constant') weights.add(output?.[0]);
  for (const { input, opType } of nodes) {
    if (!opType) continue;
    if (DYNAMIC.includes(opType)) return opType;
    // Written out in single operators: the scale comes from nodes, not from a calibration.
    if (opType === 'QuantizeLinear' && !weights.has(input?.[1])) return opType;
  }
  return null;
}
