import { z } from 'zod';
import { readClosed, type JsonFile, type Reading } from '../../config/closed-file.js';
import { encoderConfig } from '../../config/transformers.js';
import type { ClassifierParts, HeadActivation, HeadParts, MaskedLmParts } from '../heads/parts.js';
import { ACTIVATIONS, type Activation } from '../layers/activation.js';
import { squareAttention } from '../layers/attention-memory.js';
import { addEmbeddings, type Hidden } from '../layers/embeddings.js';
import { addPostNormLayer, bertLayerNames } from '../layers/post-norm-layer.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture, BuildOptions, Encoder } from './architecture.js';

/** BERT: Devlin et al. 2018; transformers' `models/bert/modeling_bert.py`. */
export const bert: Architecture = {
  name: 'bert',
  modelTypes: ['bert'],
  positionTypes: ['absolute'],
  read: (config) => readBertLike(config, { prefix: 'bert.', padTokenId: 0, afterPadding: false, heads }),
};

function heads({ activation, epsilon, tied }: HeadSettings): HeadParts {
  const from = 'cls.predictions';
  return {
    classifier: firstTokenClassifier('bert.pooler.dense', 'tangent', 'classifier'),
    maskedLm: {
      dense: { names: [`${from}.transform.dense`], biased: true },
      activation,
      norm: { name: `${from}.transform.LayerNorm`, biased: true, epsilon },
      ...vocabularyOf('bert.embeddings.word_embeddings', `${from}.decoder`, tied),
      biases: [`${from}.bias`, `${from}.decoder.bias`],
    },
  };
}

/** A classifier of the first token: `output(activation(dense(hidden)))`. */
export function firstTokenClassifier(dense: string, activation: HeadActivation, output: string): ClassifierParts {
  return {
    pooling: 'cls',
    padTokenId: null,
    dense: { names: [dense], biased: true, activation, optional: false },
    norm: null,
    output: { names: [output], biased: true },
  };
}

/** A masked language model's matrix is that of the word embeddings, unless `tie_word_embeddings` is false. */
export function vocabularyOf(words: string, decoder: string, tied: boolean): Pick<MaskedLmParts, 'matrix' | 'tied'> {
  return { tied, matrix: [`${tied ? words : decoder}.weight`] };
}

/** The differences between encoders with BERT's layers. */
export interface BertVariant {
  /** Prefix of the weights' names in a checkpoint that was saved with a head. */
  readonly prefix: string;
  /** Used when `config.json` has none. */
  readonly padTokenId: number;
  /** Whether positions are counted from after the padding id, and padding tokens are not. */
  readonly afterPadding: boolean;
  heads(settings: HeadSettings): HeadParts;
}

/** What heads of BERT and its relatives take from `config.json`. */
export interface HeadSettings {
  readonly activation: Activation;
  readonly epsilon: number;
  /** Whether the masked language model's matrix is the table of word embeddings. */
  readonly tied: boolean;
}

/** Members of `config.json` that BERT and its relatives share. */
export const bertMembers = {
  used: {
    num_hidden_layers: z.int().positive(),
    num_attention_heads: z.int().positive(),
    hidden_act: z.string().default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-12),
    tie_word_embeddings: z.boolean().nullish(),
  },
  only: { hidden_act: Object.keys(ACTIVATIONS) },
  harmless: [
    // Known from the tensors' shapes, or used only in training.
    'intermediate_size',
    'type_vocab_size',
    'hidden_dropout_prob',
    'attention_probs_dropout_prob',
    'classifier_dropout',
    // Written into the first BERT checkpoints, and not read by anything.
    'directionality',
    'pooler_fc_size',
    'pooler_num_attention_heads',
    'pooler_num_fc_layers',
    'pooler_size_per_head',
    'pooler_type',
  ],
};

/** Everything that the structure of the graph depends on. */
interface BertConfig {
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** See `EmbeddingWeights`. */
  readonly positionsAfter?: number;
}

export function readBertLike(file: JsonFile, variant: BertVariant): Reading<Encoder> {
  const { value, refusals, warnings } = readClosed(file, encoderConfig(bertMembers));
  const padTokenId = value.pad_token_id ?? variant.padTokenId;
  const firstPosition = variant.afterPadding ? padTokenId + 1 : 0;
  const config: BertConfig = {
    layers: value.num_hidden_layers,
    heads: value.num_attention_heads,
    activation: ACTIVATIONS[value.hidden_act] ?? 'erf',
    epsilon: value.layer_norm_eps,
    ...(variant.afterPadding && { positionsAfter: padTokenId }),
  };
  const encoder: Encoder = {
    hiddenSize: value.hidden_size,
    positions: (value.max_position_embeddings ?? Infinity) - firstPosition,
    firstPosition,
    padTokenId,
    attention: squareAttention(value.num_attention_heads),
    heads: variant.heads({ ...config, tied: value.tie_word_embeddings ?? true }),
    build: (graph, reader, options) =>
      buildBert(graph, new NamedWeights(reader, variant.prefix, 'embeddings.word_embeddings.weight'), config, options),
  };
  return { value: encoder, refusals, warnings };
}

async function buildBert(
  graph: GraphBuilder,
  weights: NamedWeights,
  config: BertConfig,
  { linear, tokenTypes }: BuildOptions,
): Promise<Hidden> {
  const types = 'embeddings.token_type_embeddings.weight';
  const embedded = await addEmbeddings(
    graph,
    {
      words: await weights.tensor('embeddings.word_embeddings.weight'),
      positions: await weights.tensor('embeddings.position_embeddings.weight'),
      ...(config.positionsAfter !== undefined && { positionsAfter: config.positionsAfter }),
      types: weights.has(types) ? await weights.tensor(types) : null,
      norm: await weights.norm('embeddings.LayerNorm'),
      epsilon: config.epsilon,
    },
    tokenTypes,
  );
  const { lengths, words } = embedded;
  let { hidden } = embedded;
  for (let index = 0; index < config.layers; index++) {
    const options = { ...config, linear };
    hidden = await addPostNormLayer(
      graph,
      `layer${index}`,
      { hidden, lengths },
      weights,
      bertLayerNames(index),
      options,
    );
  }
  return { hidden, lengths, words };
}
