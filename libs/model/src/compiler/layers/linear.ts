import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Matrix } from '../weights/matrix.js';
import type { Projection } from '../weights/named-weights.js';

/**
 * Where a product's input comes from, which determines the distribution of its numbers. `norm`: a few channels are ten
 * times as large as the rest; `attention`: even; `activation`: single numbers are a hundred times as large as usual.
 */
export type InputKind = 'norm' | 'attention' | 'activation';

/** `input x matrix`. */
export interface Product {
  readonly value: string;
  /** A bias `[outputs]` that the next fused operator must add; null: it is already added. */
  readonly bias: string | null;
}

export interface AttentionWeights {
  /** Queries, keys and values side by side: `[hidden, 3 * hidden]`. */
  readonly packed: Matrix;
  /** `[3 * hidden]`. */
  readonly bias: Float32Array;
  readonly heads: number;
}

/** How a graph multiplies hidden states by an encoder's matrices: as floats, or as int8. */
export interface Linear {
  /** Part of a graph's identity, and of the fingerprint unless it follows from the dtype. */
  readonly name: 'float' | 'int8' | 'int8 by rows';
  /** A linear layer: `[rows, tokens, inputs]` to `[rows, tokens, outputs]`. */
  product(graph: GraphBuilder, name: string, input: string, from: InputKind, weights: Projection): Promise<Product>;
  /**
   * Self-attention with the projection of its input, as one operator.
   * @param input `[rows, tokens, hidden]`, the output of a norm
   * @param lengths a value `[rows]`, int32: number of real tokens in each row
   * @param scoreBias a value `[1, heads, tokens, tokens]` that is added to the scaled scores of queries and keys
   * @returns `[rows, tokens, hidden]`
   */
  attention(
    graph: GraphBuilder,
    name: string,
    input: string,
    lengths: string,
    weights: AttentionWeights,
    scoreBias?: string,
  ): Promise<string>;
}
