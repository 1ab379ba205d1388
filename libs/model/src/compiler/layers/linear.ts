import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Matrix } from '../weights/matrix.js';
import type { LinearWeights } from '../weights/named-weights.js';

/**
 * Where a product's input comes from, which says how its numbers are spread: `norm`: a few channels ten times as large
 * as the rest; `attention`: even; `activation`: single numbers a hundred times as large as the usual ones.
 */
export type InputKind = 'norm' | 'attention' | 'activation';

/** `input x matrix`. */
export interface Product {
  readonly value: string;
  /** A bias `[outputs]` that is still to be added, by the fused operator that comes next; null: it has been. */
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
  /** A linear layer: `[rows, tokens, inputs]` to `[rows, tokens, outputs]`. */
  product(graph: GraphBuilder, name: string, input: string, from: InputKind, weights: LinearWeights): Promise<Product>;
  /**
   * Self-attention with its projection, one operator.
   * @param input `[rows, tokens, hidden]`, out of a norm
   * @param lengths a value `[rows]`, int32: each row's real tokens
   * @returns `[rows, tokens, hidden]`
   */
  attention(
    graph: GraphBuilder,
    name: string,
    input: string,
    lengths: string,
    weights: AttentionWeights,
  ): Promise<string>;
}
