import type { TokenTypes } from '../layers/embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';

/** A head turns an encoder's hidden states into one row of floats for each input. */
export interface Head {
  /** Stands in a graph's digest for everything that its numbers owe to the head. */
  readonly name: string;
  /** Whether its inputs are pairs, whose parts the encoder must tell apart. */
  readonly tokenTypes: TokenTypes;
  /** Floats in a row. */
  width(hiddenSize: number): number;
  /**
   * Adds the head's nodes, all named `at` and something behind it.
   * @param hidden `[rows, tokens, hidden]`, of the graph's float type
   * @returns `[rows, width]`, of the same
   */
  build(graph: GraphBuilder, at: string, hidden: string): string;
}
