import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { NormWeights } from '../weights/named-weights.js';
import type { Tensor } from '../weights/weights-reader.js';
import { addNorm } from './norm.js';
import { addPositionIds } from './position-ids.js';

/** Names of values that an encoder gives. */
export interface Hidden {
  /** `[rows, tokens, hidden]`. */
  readonly hidden: string;
  /** Real tokens of each row, int32 `[rows]`; `''` where attention takes a bias made from the mask instead (`sight.ts`). */
  readonly lengths: string;
  /** `[vocabulary, hidden]`: the table of word embeddings, where the graph has it as it is in the checkpoint. */
  readonly words?: string | undefined;
}

/**
 * Token types say which part of a pair a token belongs to. `zero`: every token has type 0, as in single texts; `input`:
 * the graph takes `token_type_ids`.
 */
export type TokenTypes = 'zero' | 'input';

export interface EmbeddingWeights {
  /** `[vocabulary, hidden]`. */
  readonly words: Tensor;
  /** `[positions, hidden]`. Null when attention knows the positions. */
  readonly positions: Tensor | null;
  /** Where positions are counted from after the padding id: that id. Default: the first row is for the first token. */
  readonly positionsAfter?: number;
  /** `[types, hidden]`; null when the architecture has none. */
  readonly types: Tensor | null;
  readonly norm: NormWeights;
  readonly epsilon: number;
}

/**
 * The sum of word, position and type embeddings, `[rows, tokens, size of the norm]`, after a layer norm. Adds the inputs `input_ids` and `attention_mask`,
 * and `token_type_ids` if `tokenTypes` is `input` and the model has more than one type.
 */
export async function addEmbeddings(
  graph: GraphBuilder,
  { words, positions, positionsAfter, types, norm, epsilon }: EmbeddingWeights,
  tokenTypes: TokenTypes,
): Promise<Hidden> {
  const size = norm.gamma.length;
  const ids = graph.toInt32('ids32', graph.input('input_ids'));
  const places = positionsAfter === undefined ? null : addPositionIds(graph, ids, positionsAfter);
  const segmented = tokenTypes === 'input' && types !== null && types.shape[0]! > 1;
  // WebGPU has no kernel for the fused operator; its attention takes the mask in another form than lengths.
  if (graph.provider === 'webgpu' || positions === null) {
    const inWords = positions === null && !segmented && types !== null;
    const table = inWords ? withFirstType(words.data, types.data, size) : words.data;
    let rows = graph.node('Gather', 'embedded', [await graph.weight('words', words.shape, table), ids]);
    if (segmented) rows = await addTypes(graph, rows, types);
    if (positions !== null) rows = await addPositions(graph, rows, positions, places, segmented ? null : types);
    const hidden = await addNorm(graph, 'embeddings', rows, norm, epsilon);
    if (graph.provider === 'webgpu') return { hidden, lengths: '', words: inWords ? undefined : 'words' };
    const mask = graph.cast('mask32', graph.input('attention_mask'), 'int32');
    return { hidden, lengths: graph.along(1, 'ReduceSum', 'lengths', mask, { keepdims: 0 }) };
  }
  const mask = graph.cast('mask32', graph.input('attention_mask'), 'int32');
  const table = segmented || types === null ? positions.data : withFirstType(positions.data, types.data, size);
  const wordTable = await graph.weight('words', words.shape, words.data);
  const output = graph.fused(
    'EmbedLayerNormalization',
    'embeddings',
    [
      ids,
      segmented ? graph.cast('types32', graph.input('token_type_ids'), 'int32') : '',
      wordTable,
      await graph.weight('positions', positions.shape, table),
      segmented ? await graph.weight('types', types.shape, types.data) : '',
      await graph.weight('embeddings.gamma', [size], norm.gamma),
      await graph.weight('embeddings.beta', [size], norm.beta),
      mask,
      ...(places === null ? [] : [places]),
    ],
    { epsilon: { float: epsilon } },
    ['embeddings', 'lengths'],
  );
  return { hidden: output, lengths: 'lengths', words: wordTable };
}

/**
 * Adds the vectors of the positions, and of the first type if all tokens have that one.
 * @param places the positions of tokens, int32 `[rows, tokens]`; null: they are counted from the first row
 */
async function addPositions(
  graph: GraphBuilder,
  rows: string,
  positions: Tensor,
  places: string | null,
  types: Tensor | null,
): Promise<string> {
  const data = types === null ? positions.data : withFirstType(positions.data, types.data, positions.shape[1]!);
  const table = await graph.weight('positions', positions.shape, data);
  if (places !== null) {
    const vectors = graph.node('Gather', 'positions.vectors', [table, places]);
    return graph.node('Add', 'embedded.placed', [rows, vectors]);
  }
  const tokens = graph.node('Shape', 'positions.tokens', [graph.input('input_ids')], { start: 1, end: 2 });
  const [start, axis] = [graph.integers('positions.start', [0]), graph.integers('positions.axis', [0])];
  const first = graph.node('Slice', 'positions.first', [table, start, tokens, axis]);
  return graph.node('Add', 'embedded.placed', [rows, first]);
}

async function addTypes(graph: GraphBuilder, rows: string, types: Tensor): Promise<string> {
  const table = await graph.weight('types', types.shape, types.data);
  const vectors = graph.node('Gather', 'embedded.types', [table, graph.input('token_type_ids')]);
  return graph.node('Add', 'embedded.typed', [rows, vectors]);
}

/** If all tokens have type 0, its vector is added to another table beforehand, which saves a lookup per token. */
function withFirstType(table: Float32Array, types: Float32Array, size: number): Float32Array {
  return table.map((value, i) => value + types[i % size]!);
}
