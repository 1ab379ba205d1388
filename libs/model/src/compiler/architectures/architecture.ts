import type { JsonFile, Reading } from '../../config/closed-file.js';
import type { HeadParts } from '../heads/parts.js';
import type { AttentionOn } from '../layers/attention-memory.js';
import type { Hidden, TokenTypes } from '../layers/embeddings.js';
import type { Linear } from '../layers/linear.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { WeightsReader } from '../weights/weights-reader.js';

/** A family of encoders that the compiler writes graphs for. Each has its own file; `index.ts` lists them. */
export interface Architecture {
  /** Part of fingerprints, so it must never change. */
  readonly name: string;
  /** Values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** Values of `position_embedding_type` in `config.json`; a missing member counts as `absolute`. */
  readonly positionTypes: readonly string[];
  /**
   * Reads `config.json`, and reports every unknown member. A model with a refusal is not compiled.
   * @throws BootError, one line, when a used member is missing or has another type
   */
  read(config: JsonFile): Reading<Encoder>;
}

/** Properties of a model's inputs according to `config.json`, for compiled and found graphs alike. */
export interface EncoderShape {
  /** Floats in a token's hidden state. */
  readonly hiddenSize: number;
  /** Maximum number of tokens of a text; Infinity when it is not bounded. */
  readonly positions: number;
  /** Value of `position_ids` for the first token, in graphs with that input. */
  readonly firstPosition: number;
  readonly padTokenId: number;
  /** At the full number of positions. */
  readonly attention: AttentionOn;
}

export interface BuildOptions {
  readonly linear: Linear;
  readonly tokenTypes: TokenTypes;
  /** Most tokens of a text: rotary tables end there. */
  readonly positions: number;
}

/** The encoder of one model, ready to be written as a graph. */
export interface Encoder extends EncoderShape {
  /** Why it is not served in fp16; absent: it is. */
  readonly noHalf?: string;
  /** What may follow the hidden states besides pooling. Default: nothing that the compiler knows. */
  readonly heads?: HeadParts;
  /** Why the model is compiled in fp32 only; absent where it is not. */
  readonly fp32Only?: string;
  /**
   * Adds all nodes from the inputs to the hidden states `[rows, tokens, hidden]`. Rows must be padded at their end.
   * @throws BootError when a weight is missing
   */
  build(graph: GraphBuilder, weights: WeightsReader, options: BuildOptions): Promise<Pick<Hidden, 'hidden' | 'words'>>;
}
