import type { GraphBuilder } from '../onnx/graph-builder.js';

export interface BiasedAttention {
  /** `[rows, tokens, heads * size]` each. */
  readonly parts: readonly [queries: string, keys: string, values: string];
  readonly heads: number;
  readonly size: number;
  /** Factor of the scores. Default: `1 / sqrt(size)`. */
  readonly scale?: number | undefined;
  /** `[rows, 1 or heads, tokens, tokens]`, added to the scaled scores; keeps padding out of sight. */
  readonly scoreBias: string;
}

/**
 * Attention that learns of padding, windows and order from a bias alone, for GPUs: WebGPU's operators take no lengths,
 * and those for grouped heads do not compute all that the CPU's does (WebGPU's only causally, CUDA's not in fp32).
 * @returns `[rows, tokens, heads * size]`
 */
export function addBiasedAttention(graph: GraphBuilder, name: string, attention: BiasedAttention): string {
  const { parts, heads, scale, scoreBias } = attention;
  if (graph.provider === 'webgpu') return addPlainAttention(graph, name, attention);
  return graph.fused('MultiHeadAttention', name, [...parts, '', '', scoreBias], {
    num_heads: heads,
    ...(scale === undefined ? {} : { scale: { float: scale } }),
  });
}

/**
 * The same from standard operators. ONNX Runtime 1.30.0 has `Attention` and `MultiHeadAttention` for WebGPU, too, but
 * where a head's size is a multiple of 4, their sums are wrong for longer texts on a device with subgroups of 4
 * (SwiftShader; 8 tokens are right, 33 wrong by up to 1). A right vector comes before a fast one.
 */
function addPlainAttention(
  graph: GraphBuilder,
  name: string,
  { parts, heads, size, scale, scoreBias }: BiasedAttention,
): string {
  const split = graph.integers(`${name}.split`, [0, 0, heads, size]);
  const apart = (part: string, value: string, perm: readonly number[]) =>
    graph.node('Transpose', `${name}.${part}`, [graph.node('Reshape', `${name}.${part}.split`, [value, split])], {
      perm,
    });
  const factor = graph.scalar(`${name}.factor`, scale ?? 1 / Math.sqrt(size));
  const queries = apart('q', graph.node('Mul', `${name}.scaled`, [parts[0], factor]), [0, 2, 1, 3]);
  const scores = graph.node('MatMul', `${name}.scores`, [queries, apart('k', parts[1], [0, 2, 3, 1])]);
  const biased = graph.node('Add', `${name}.biased`, [scores, scoreBias]);
  const shares = graph.node('Softmax', `${name}.shares`, [biased], { axis: -1 });
  const sums = graph.node('MatMul', `${name}.sums`, [shares, apart('v', parts[2], [0, 2, 1, 3])]);
  const back = graph.node('Transpose', `${name}.back`, [sums], { perm: [0, 2, 1, 3] });
  return graph.node('Reshape', name, [back, graph.integers(`${name}.joined`, [0, 0, heads * size])]);
}

/** Repeats each head of keys or values for the heads of queries that share it: `[rows, tokens, heads * size]`. */
export function addRepeatedHeads(
  graph: GraphBuilder,
  name: string,
  value: string,
  { keyHeads, heads, size }: { keyHeads: number; heads: number; size: number },
): string {
  if (keyHeads === heads) return value;
  const apart = graph.integers(`${name}.split`, [0, 0, keyHeads, 1, size]);
  const single = graph.node('Reshape', `${name}.apart`, [value, apart]);
  const repeats = graph.integers(`${name}.repeats`, [1, 1, 1, heads / keyHeads, 1]);
  const repeated = graph.node('Expand', `${name}.repeated`, [single, repeats]);
  return graph.node('Reshape', name, [repeated, graph.integers(`${name}.joined`, [0, 0, heads * size])]);
}
