import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { NormWeights } from '../weights/named-weights.js';
import { addGatedFeedForward, type GatedFeedForward } from './gated-feed-forward.js';
import { addGroupedSelfAttention, type GroupedAttention, type GroupedAttentionWeights } from './grouped-attention.js';
import type { Linear } from './linear.js';
import { addSkipNorm } from './norm.js';
import type { Sequences } from './token-embeddings.js';

/** The parts of a layer with BERT's order: a norm after each residual connection. */
export interface PostNormLayer {
  readonly weights: GroupedAttentionWeights;
  readonly attended: NormWeights;
  readonly forward: GatedFeedForward;
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
    const narrow = await addGatedFeedForward(graph, linear, at, between, forward);
    hidden = await addSkipNorm(graph, `${at}.output`, narrow, between, output, epsilon);
  }
  return hidden;
}
