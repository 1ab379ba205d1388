import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { NamedWeights } from '../weights/named-weights.js';
import type { Activation } from './activation.js';
import { addSelfAttention } from './attention.js';
import type { Hidden } from './embeddings.js';
import { addFeedForward } from './feed-forward.js';
import type { Linear } from './linear.js';
import { addSkipNorm } from './norm.js';

/** Names of a layer's weights in a checkpoint. */
export interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** The linear layer after attention, and the norm after that. */
  readonly mix: string;
  readonly attendedNorm: string;
  readonly wide: string;
  readonly narrow: string;
  readonly outputNorm: string;
}

/** The names that BERT and most of its relatives have. */
export function bertLayerNames(index: number): LayerNames {
  const from = `encoder.layer.${index}`;
  return {
    query: `${from}.attention.self.query`,
    key: `${from}.attention.self.key`,
    value: `${from}.attention.self.value`,
    mix: `${from}.attention.output.dense`,
    attendedNorm: `${from}.attention.output.LayerNorm`,
    wide: `${from}.intermediate.dense`,
    narrow: `${from}.output.dense`,
    outputNorm: `${from}.output.LayerNorm`,
  };
}

export interface PostNormLayer {
  readonly linear: Linear;
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** `[1, heads, tokens, tokens]`, added to the scaled scores of queries and keys. */
  readonly scoreBias?: string | undefined;
}

/**
 * BERT's layer: attention and feed-forward, each with a residual connection and a layer norm after it. The names of its
 * nodes begin with `at`.
 * @returns `[rows, tokens, hidden]`
 */
export async function addPostNormLayer(
  graph: GraphBuilder,
  at: string,
  { hidden, lengths }: Hidden,
  weights: NamedWeights,
  names: LayerNames,
  { linear, heads, activation, epsilon, scoreBias }: PostNormLayer,
): Promise<string> {
  const projections = await Promise.all([names.query, names.key, names.value].map((name) => weights.linear(name)));
  const input = { input: hidden, lengths, heads, scoreBias };
  const attention = await addSelfAttention(graph, linear, `${at}.attention`, input, projections);
  const mixed = await linear.product(graph, `${at}.mix`, attention, 'attention', await weights.linear(names.mix));
  const attendedNorm = await weights.norm(names.attendedNorm);
  const attended = await addSkipNorm(graph, `${at}.attended`, mixed, hidden, attendedNorm, epsilon);
  const forward = await addFeedForward(graph, linear, at, attended, {
    wide: await weights.linear(names.wide),
    narrow: await weights.linear(names.narrow),
    activation,
  });
  const outputNorm = await weights.norm(names.outputNorm);
  return addSkipNorm(graph, `${at}.output`, forward, attended, outputNorm, epsilon);
}
