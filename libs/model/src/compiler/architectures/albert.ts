import { z } from 'zod';
import { readClosed } from '../../config/closed-file.js';
import { encoderConfig } from '../../config/transformers.js';
import { ACTIVATIONS } from '../layers/activation.js';
import { squareAttention } from '../layers/attention-memory.js';
import { addBias } from '../layers/bias.js';
import { addEmbeddings } from '../layers/embeddings.js';
import { addPostNormLayer, type LayerNames } from '../layers/post-norm-layer.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture } from './architecture.js';
import { bertMembers, firstTokenClassifier } from './bert.js';

const members = encoderConfig({
  used: {
    ...bertMembers.used,
    hidden_act: z.string().default('gelu_new'),
    num_hidden_groups: z.int().positive().default(1),
    inner_group_num: z.int().positive().default(1),
  },
  only: bertMembers.only,
  harmless: [
    ...bertMembers.harmless,
    // Known from the tensors' shapes.
    'embedding_size',
    'classifier_dropout_prob',
    // Written into the first checkpoints, and not read by anything.
    'down_scale_factor',
    'gap_size',
    'net_structure_type',
    'num_memory_blocks',
  ],
});

/** ALBERT: Lan et al. 2019. A few of BERT's layers, each applied several times, after embeddings that are widened. */
export const albert: Architecture = {
  name: 'albert',
  modelTypes: ['albert'],
  positionTypes: ['absolute'],
  read(file) {
    const { value, ...told } = readClosed(file, members);
    const { num_hidden_groups: groups, num_hidden_layers: layers } = value;
    const layer = {
      heads: value.num_attention_heads,
      activation: ACTIVATIONS[value.hidden_act] ?? 'tanh',
      epsilon: value.layer_norm_eps,
    };
    return {
      ...told,
      value: {
        hiddenSize: value.hidden_size,
        positions: value.max_position_embeddings ?? Infinity,
        firstPosition: 0,
        padTokenId: value.pad_token_id ?? 0,
        attention: squareAttention(value.num_attention_heads),
        heads: { classifier: firstTokenClassifier('albert.pooler', 'tangent', 'classifier') },
        async build(graph, reader, { linear, tokenTypes }) {
          const weights = new NamedWeights(reader, 'albert.', 'embeddings.word_embeddings.weight');
          const embeddings = {
            words: await weights.tensor('embeddings.word_embeddings.weight'),
            positions: await weights.tensor('embeddings.position_embeddings.weight'),
            types: await weights.tensor('embeddings.token_type_embeddings.weight'),
            norm: await weights.norm('embeddings.LayerNorm'),
            epsilon: value.layer_norm_eps,
          };
          const embedded = await addEmbeddings(graph, embeddings, tokenTypes);
          const { lengths } = embedded;
          const wider = await weights.linear('encoder.embedding_hidden_mapping_in');
          let hidden = addBias(graph, 'wider', await linear.product(graph, 'wider', embedded.hidden, 'norm', wider));
          const firstUse = new Map<string, string>();
          for (let index = 0; index < layers; index++) {
            const group = Math.floor((index * groups) / layers);
            for (let inner = 0; inner < value.inner_group_num; inner++) {
              const at = `layer${index}-${inner}`;
              const from = `encoder.albert_layer_groups.${group}.albert_layers.${inner}`;
              const original = firstUse.get(from);
              if (original === undefined) firstUse.set(from, at);
              else graph.shareWeights(`${original}.`, `${at}.`);
              hidden = await addPostNormLayer(graph, at, { hidden, lengths }, weights, layerNames(from), {
                ...layer,
                linear,
              });
            }
          }
          return { hidden, lengths };
        },
      },
    };
  },
};

function layerNames(from: string): LayerNames {
  return {
    query: `${from}.attention.query`,
    key: `${from}.attention.key`,
    value: `${from}.attention.value`,
    mix: `${from}.attention.dense`,
    attendedNorm: `${from}.attention.LayerNorm`,
    wide: `${from}.ffn`,
    narrow: `${from}.ffn_output`,
    outputNorm: `${from}.full_layer_layer_norm`,
  };
}
