import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { NormWeights } from '../weights/named-weights.js';
import type { Tensor } from '../weights/safetensors.js';

/** Hidden states `[rows, tokens, hidden]`, and for each row the number of its real tokens, int32 `[rows]`. */
export interface Hidden {
  readonly hidden: string;
  readonly lengths: string;
}

/**
 * Token types say which part of a pair a token belongs to. `zero`: every token is of type 0, as those of single texts
 * are; `input`: the graph takes `token_type_ids`.
 */
export type TokenTypes = 'zero' | 'input';

export interface EmbeddingWeights {
  /** `[vocabulary, hidden]`. */
  readonly words: Tensor;
  /** `[positions, hidden]`; the first row is the first token's. */
  readonly positions: Tensor;
  /** `[types, hidden]`; null where the architecture has none. */
  readonly types: Tensor | null;
  readonly norm: NormWeights;
  readonly epsilon: number;
}

/**
 * Word, position and type embeddings, summed and normalised. Takes the inputs `input_ids` and `attention_mask`, and
 * `token_type_ids` where they are asked for and there is more than one type.
 */
export async function addEmbeddings(
  graph: GraphBuilder,
  { words, positions, types, norm, epsilon }: EmbeddingWeights,
  tokenTypes: TokenTypes,
): Promise<Hidden> {
  const size = norm.gamma.length;
  const ids = graph.cast('ids32', graph.input('input_ids'), 'int32');
  const mask = graph.cast('mask32', graph.input('attention_mask'), 'int32');
  const segmented = tokenTypes === 'input' && types !== null && types.shape[0]! > 1;
  const table = segmented || types === null ? positions.data : withFirstType(positions.data, types.data, size);
  const output = graph.fused(
    'EmbedLayerNormalization',
    'embeddings',
    [
      ids,
      segmented ? graph.cast('types32', graph.input('token_type_ids'), 'int32') : '',
      await graph.weight('words', words.shape, words.data),
      await graph.weight('positions', positions.shape, table),
      segmented ? await graph.weight('types', types.shape, types.data) : '',
      await graph.weight('embeddings.gamma', [size], norm.gamma),
      await graph.weight('embeddings.beta', [size], norm.beta),
      mask,
    ],
    { epsilon: { float: epsilon } },
    ['embeddings', 'lengths'],
  );
  return { hidden: output, lengths: 'lengths' };
}

/** Where all tokens are of type 0, its vector can be added to each position's beforehand: one lookup less a token. */
function withFirstType(positions: Float32Array, types: Float32Array, size: number): Float32Array {
  return positions.map((value, i) => value + types[i % size]!);
}
