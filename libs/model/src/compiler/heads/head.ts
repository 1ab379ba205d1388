import type { TokenTypes } from '../layers/embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';

/** A head turns an encoder's hidden states into one row of floats for each input. */
export interface Head {
  /** Part of a graph's digest: heads that compute different numbers must have different names. */
  readonly name: string;
  /** Absolute paths of files that the head reads: graphs and fingerprints depend on their content. */
  readonly sources: readonly string[];
  /** `input` if the head's inputs are pairs, whose parts the encoder must distinguish. */
  readonly tokenTypes: TokenTypes;
  /** Floats in a row. */
  width(hiddenSize: number): number;
  /**
   * Adds the head's nodes; all their names begin with `at`.
   * @param hidden `[rows, tokens, hidden]`, of the graph's float type
   * @returns `[rows, width]`, of the same type
   */
  build(graph: GraphBuilder, at: string, hidden: string): string | Promise<string>;
}
