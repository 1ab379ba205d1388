import type { JsonFile, Reading } from '../../config/closed-file.js';
import type { Hidden, TokenTypes } from '../layers/embeddings.js';
import type { Linear } from '../layers/linear.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { SafetensorsReader } from '../weights/safetensors.js';

/** A family of encoders that the compiler writes graphs for. One file each; `index.ts` lists them. */
export interface Architecture {
  /** Part of fingerprints, so it never changes. */
  readonly name: string;
  /** `model_type` of `config.json`. */
  readonly modelTypes: readonly string[];
  /** `position_embedding_type` of `config.json`, `absolute` where it is not there. */
  readonly positionTypes: readonly string[];
  /**
   * Reads `config.json`, of which every member is known or reported. What it refuses is not compiled.
   * @throws BootError, one line, when a member that is used is missing or of another kind
   */
  read(config: JsonFile): Reading<Encoder>;
}

/** What a model's `config.json` says of its inputs, whoever wrote the graph. */
export interface EncoderShape {
  /** Floats in a token's hidden state. */
  readonly hiddenSize: number;
  /** Tokens of the longest text; Infinity where nothing bounds it. */
  readonly positions: number;
  /** What graphs that ask for `position_ids` expect for the first token. */
  readonly firstPosition: number;
  readonly padTokenId: number;
}

export interface BuildOptions {
  readonly linear: Linear;
  readonly tokenTypes: TokenTypes;
}

/** One model of an architecture, ready to be written. */
export interface Encoder extends EncoderShape {
  /**
   * Adds everything from the inputs to the hidden states, padding at the end of rows.
   * @throws BootError when the weights lack something
   */
  build(graph: GraphBuilder, weights: SafetensorsReader, options: BuildOptions): Promise<Hidden>;
}
