import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { NormWeights } from '../weights/named-weights.js';
import { addGroupedSelfAttention, type GroupedAttention, type GroupedAttentionWeights } from './grouped-attention.js';
import type { Linear, Product } from './linear.js';
import { addSkipNorm } from './norm.js';
import type { Sequences } from './token-embeddings.js';

/** Adds a layer's second branch, `[rows, tokens, hidden]` to the same; the names of its nodes begin with `at`. */
export type AddForward = (graph: GraphBuilder, linear: Linear, at: string, input: string) => Promise<Product>;

/** The parts of a layer with BERT's order: a norm after each residual connection. */
export interface PostNormLayer {
  readonly weights: GroupedAttentionWeights;
  readonly attended: NormWeights;
  readonly forward: AddForward;
  readonly output: NormWeights;
}

/**
 * @param input `[rows, tokens, hidden]`
 * @param layers reads one layer's weights at a time
 * @returns hidden states `[rows, tokens, hidden]`
 */
export async function addPostNormLayers(
  graph: GraphBuilder,
  linear: Linear,
  input: string,
  sequences: Sequences,
  { count, epsilon, attention }: { count: number; epsilon: number; attention: GroupedAttention },
  layers: (index: number) => Promise<PostNormLayer>,
): Promise<string> {
  let hidden = input;
  for (let index = 0; index < count; index++) {
    const at = `layer${index}`;
    const { weights, attended, forward, output } = await layers(index);
    const mixed = await addGroupedSelfAttention(graph, linear, at, hidden, sequences, weights, attention);
    const between = await addSkipNorm(graph, `${at}.attended`, mixed, hidden, attended, epsilon);
    const narrow = await forward(graph, linear, at, between);
    hidden = await addSkipNorm(graph, `${at}.output`, narrow, between, output, epsilon);
  }
  return hidden;
}
