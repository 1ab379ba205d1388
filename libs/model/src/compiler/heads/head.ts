import type { TokenTypes } from '../layers/embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { WeightsReader } from '../weights/weights-reader.js';

/** A head turns an encoder's hidden states into one row of floats for each input. It can follow any graph. */
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

/** What a head of a compiled graph can use besides the hidden states. */
export interface Checkpoint {
  /** All weights of the checkpoint, those of its encoder included. */
  readonly weights: WeightsReader;
  /** The graph's table of word embeddings, `[vocabulary, hidden]`; null: it has none that is as in the checkpoint. */
  readonly words: string | null;
}

/** What gets a row of floats. */
export type RowOf = 'input' | 'token' | 'token after the first';

/** A head that needs more than hidden states, or gives tokens rows. Only compiled graphs have it. A `Head` is one, too. */
export interface CheckpointHead extends Omit<Head, 'build'> {
  /** Default: `input`. */
  readonly each?: RowOf;
  /**
   * Adds the head's nodes; all their names begin with `at`.
   * @param hidden `[rows, tokens, hidden]`, of the graph's float type
   * @returns `[rows, width]`, or `[rows, tokens, width]` if each token gets a row; of the graph's float type, or float
   * @throws BootError when a weight is missing or has another shape
   */
  build(graph: GraphBuilder, at: string, hidden: string, checkpoint: Checkpoint): string | Promise<string>;
}
