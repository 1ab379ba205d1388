import { z } from 'zod';
import { readClosed } from '../../config/closed-file.js';
import { encoderConfig } from '../../config/transformers.js';
import { ACTIVATIONS } from '../layers/activation.js';
import { squareAttention } from '../layers/attention-memory.js';
import { addEmbeddings } from '../layers/embeddings.js';
import { addPostNormLayer, type LayerNames } from '../layers/post-norm-layer.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture } from './architecture.js';
import { firstTokenClassifier, vocabularyOf } from './bert.js';

/** Not in `config.json`: transformers' `modeling_distilbert.py` has it as a constant. */
const EPSILON = 1e-12;

const members = encoderConfig({
  used: {
    num_hidden_layers: z.int().positive(),
    num_attention_heads: z.int().positive(),
    hidden_act: z.string().default('gelu'),
    tie_word_embeddings: z.boolean().nullish(),
  },
  only: { hidden_act: Object.keys(ACTIVATIONS) },
  harmless: [
    // Its own names of members above, and what the tensors' shapes say.
    'dim',
    'n_layers',
    'n_heads',
    'activation',
    'hidden_dim',
    // The table of positions is in the checkpoint, however it was made.
    'sinusoidal_pos_embds',
    'dropout',
    'attention_dropout',
    'qa_dropout',
    'seq_classif_dropout',
    'tie_weights_',
  ],
});

/** DistilBERT: Sanh et al. 2019. BERT's layers under other names, without token types. */
export const distilbert: Architecture = {
  name: 'distilbert',
  modelTypes: ['distilbert'],
  positionTypes: ['absolute'],
  read(file) {
    const { value, ...told } = readClosed(file, members);
    const layer = {
      heads: value.num_attention_heads,
      activation: ACTIVATIONS[value.hidden_act] ?? 'erf',
      epsilon: EPSILON,
    };
    return {
      ...told,
      value: {
        hiddenSize: value.hidden_size,
        positions: value.max_position_embeddings ?? Infinity,
        firstPosition: 0,
        padTokenId: value.pad_token_id ?? 0,
        attention: squareAttention(value.num_attention_heads),
        heads: {
          classifier: firstTokenClassifier('pre_classifier', 'relu', 'classifier'),
          maskedLm: {
            dense: { names: ['vocab_transform'], biased: true },
            activation: layer.activation,
            norm: { name: 'vocab_layer_norm', biased: true, epsilon: EPSILON },
            ...vocabularyOf(
              'distilbert.embeddings.word_embeddings',
              'vocab_projector',
              value.tie_word_embeddings ?? true,
            ),
            biases: ['vocab_projector.bias'],
          },
        },
        async build(graph, reader, { linear, tokenTypes }) {
          const weights = new NamedWeights(reader, 'distilbert.', 'embeddings.word_embeddings.weight');
          const embeddings = {
            words: await weights.tensor('embeddings.word_embeddings.weight'),
            positions: await weights.tensor('embeddings.position_embeddings.weight'),
            types: null,
            norm: await weights.norm('embeddings.LayerNorm'),
            epsilon: EPSILON,
          };
          const embedded = await addEmbeddings(graph, embeddings, tokenTypes);
          const { lengths, words } = embedded;
          let { hidden } = embedded;
          for (let index = 0; index < value.num_hidden_layers; index++) {
            const names = layerNames(index);
            hidden = await addPostNormLayer(graph, `layer${index}`, { hidden, lengths }, weights, names, {
              ...layer,
              linear,
            });
          }
          return { hidden, lengths, words };
        },
      },
    };
  },
};

function layerNames(index: number): LayerNames {
  const from = `transformer.layer.${index}`;
  return {
    query: `${from}.attention.q_lin`,
    key: `${from}.attention.k_lin`,
    value: `${from}.attention.v_lin`,
    mix: `${from}.attention.out_lin`,
    attendedNorm: `${from}.sa_layer_norm`,
    wide: `${from}.ffn.lin1`,
    narrow: `${from}.ffn.lin2`,
    outputNorm: `${from}.output_layer_norm`,
  };
}
