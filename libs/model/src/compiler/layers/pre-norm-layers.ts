import type { GraphBuilder } from '../onnx/graph-builder.js';
import { addBias } from './bias.js';
import { addGatedFeedForward, type GatedFeedForward } from './gated-feed-forward.js';
import { addGroupedSelfAttention, type GroupedAttention, type GroupedAttentionWeights } from './grouped-attention.js';
import type { Linear, Product } from './linear.js';
import { addNorm, addResidual, type Norm, type Residual } from './residual.js';
import type { Sequences } from './token-embeddings.js';

/** The parts of a layer whose norms come before its branches. */
export interface PreNormLayer {
  readonly attention: GroupedAttention;
  readonly weights: GroupedAttentionWeights;
  /** Norm of the attention's output, before it is added; null when there is none. */
  readonly attended: Norm | null;
  readonly beforeForward: Norm;
  readonly forward: GatedFeedForward;
  /** Norm of the feed-forward's output, before it is added; null when there is none. */
  readonly forwarded: Norm | null;
}

/**
 * @param start the embeddings, and their norm for the first layer
 * @param layers reads one layer's weights at a time
 * @param normAfter the norm after a layer: that before the next one's attention, or the last norm of all
 * @returns hidden states `[rows, tokens, hidden]`
 */
export async function addPreNormLayers(
  graph: GraphBuilder,
  linear: Linear,
  start: Residual,
  sequences: Sequences,
  count: number,
  layers: (index: number) => Promise<PreNormLayer>,
  normAfter: (index: number) => Promise<Norm>,
): Promise<string> {
  let { sum, normed } = start;
  for (let index = 0; index < count; index++) {
    const at = `layer${index}`;
    const { attention, weights, attended, beforeForward, forward, forwarded } = await layers(index);
    const mixed = await addGroupedSelfAttention(graph, linear, at, normed, sequences, weights, attention);
    const branch = await addBranchNorm(graph, `${at}.attended`, mixed, attended);
    ({ sum, normed } = await addResidual(graph, `${at}.between`, branch, sum, beforeForward));
    const narrow = await addGatedFeedForward(graph, linear, at, normed, forward);
    const second = await addBranchNorm(graph, `${at}.forwarded`, narrow, forwarded);
    ({ sum, normed } = await addResidual(graph, `${at}.output`, second, sum, await normAfter(index)));
  }
  return normed;
}

async function addBranchNorm(graph: GraphBuilder, name: string, branch: Product, norm: Norm | null): Promise<Product> {
  if (norm === null) return branch;
  return { value: await addNorm(graph, name, addBias(graph, name, branch), norm), bias: null };
}
