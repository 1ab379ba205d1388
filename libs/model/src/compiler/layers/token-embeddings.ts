import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Tensor } from '../weights/weights-reader.js';
import type { TokenTypes } from './embeddings.js';

/** Names of values that say how long the texts of a batch are; all are `''` for GPUs, see `sight.ts`. */
export interface Sequences {
  /** Real tokens of each row, int32 `[rows]`. */
  readonly lengths: string;
  /** Index of each row's last real token, int32 `[rows]`. */
  readonly last: string;
  /** Tokens of a row with its padding, an int32 scalar. */
  readonly tokens: string;
  /** The same as an int64 scalar. */
  readonly count: string;
}

export interface TokenEmbeddings {
  /** `[vocabulary, hidden]`. */
  readonly words: Tensor;
  /** `[types, hidden]`; null when the architecture has none. */
  readonly types: Tensor | null;
}

/**
 * The sum of word and type embeddings, `[rows, tokens, hidden]`, for architectures whose attention knows the positions.
 * Adds the input `input_ids`, and `token_type_ids` if `tokenTypes` is `input` and the model has more than one type.
 */
export async function addTokenEmbeddings(
  graph: GraphBuilder,
  { words, types }: TokenEmbeddings,
  tokenTypes: TokenTypes,
): Promise<string> {
  const segmented = tokenTypes === 'input' && types !== null && types.shape[0]! > 1;
  // If all tokens have type 0, its vector is added to every word's beforehand.
  if (types !== null && !segmented) addToRows(words.data, types.data.subarray(0, words.shape[1]));
  const table = await graph.weight('words', words.shape, words.data);
  const embedded = graph.node('Gather', 'embedded', [table, graph.input('input_ids')]);
  if (!segmented) return embedded;
  const typeTable = await graph.weight('types', types.shape, types.data);
  const typed = graph.node('Gather', 'embedded.types', [typeTable, graph.input('token_type_ids')]);
  return graph.node('Add', 'embedded.typed', [embedded, typed]);
}

/** Adds a vector to every row of a matrix, in place: a vocabulary is too large for a copy. */
function addToRows(matrix: Float32Array, vector: Float32Array): void {
  for (let at = 0; at < matrix.length; at++) matrix[at]! += vector[at % vector.length]!;
}

/** Adds the input `attention_mask`, and what is known of the texts' lengths from it. */
export function addSequences(graph: GraphBuilder): Sequences {
  const input = graph.input('attention_mask');
  if (graph.provider !== 'cpu') return { lengths: '', last: '', tokens: '', count: '' };
  const mask = graph.cast('mask32', input, 'int32');
  const lengths = graph.along(1, 'ReduceSum', 'lengths', mask, { keepdims: 0 });
  const one = graph.cast('one', graph.integers('one64', [1]), 'int32');
  const last = graph.node('Sub', 'last', [lengths, one]);
  const sizes = graph.node('Shape', 'sizes', [input], { start: 1, end: 2 });
  const count = graph.along(0, 'Squeeze', 'count', sizes);
  return { lengths, last, tokens: graph.cast('tokens', count, 'int32'), count };
}
