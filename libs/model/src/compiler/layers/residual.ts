import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Product } from './linear.js';

/** A layer norm, with or without a shift, or a root mean square norm, which subtracts no mean. */
export interface Norm {
  readonly kind: 'layer' | 'rms';
  /** `[size]`. */
  readonly gamma: Float32Array;
  /** `[size]`; null when there is no shift. Always null for `rms`. */
  readonly beta: Float32Array | null;
  readonly epsilon: number;
}

/** Normalises the last dimension. */
export async function addNorm(
  graph: GraphBuilder,
  name: string,
  input: string,
  { kind, gamma, beta, epsilon }: Norm,
): Promise<string> {
  const inputs = [input, await graph.weight(`${name}.gamma`, [gamma.length], gamma)];
  if (beta !== null) inputs.push(await graph.weight(`${name}.beta`, [beta.length], beta));
  const type = kind === 'rms' ? 'SimplifiedLayerNormalization' : 'LayerNormalization';
  return graph.node(type, name, inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** Names of two values `[rows, tokens, hidden]`. */
export interface Residual {
  /** `branch + bias + skip`: what the next residual connection skips. */
  readonly sum: string;
  /** The norm of the sum: the input of the next branch. */
  readonly normed: string;
}

/** A residual connection, and the norm before the next branch, as one operator. */
export async function addResidual(
  graph: GraphBuilder,
  name: string,
  { value, bias }: Product,
  skip: string,
  { kind, gamma, beta, epsilon }: Norm,
): Promise<Residual> {
  const scale = await graph.weight(`${name}.gamma`, [gamma.length], gamma);
  const shift = beta === null ? '' : await graph.weight(`${name}.beta`, [beta.length], beta);
  const [type, inputs] =
    kind === 'rms'
      ? ['SkipSimplifiedLayerNormalization', [value, skip, scale]]
      : ['SkipLayerNormalization', [value, skip, scale, ...(shift === '' && bias === null ? [] : [shift])]];
  if (bias !== null) inputs.push(bias);
  const sum = `${name}.sum`;
  const normed = graph.fused(type, name, inputs, { epsilon: { float: epsilon } }, [name, '', '', sum]);
  return { sum, normed };
}
