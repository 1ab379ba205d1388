import { readClosed } from '../../config/closed-file.js';
import { encoderConfig } from '../../config/transformers.js';
import { ACTIVATIONS } from '../layers/activation.js';
import { squareAttention } from '../layers/attention-memory.js';
import { addDistanceBias } from '../layers/distance-bias.js';
import { addEmbeddings } from '../layers/embeddings.js';
import { addPostNormLayer, bertLayerNames, type LayerNames } from '../layers/post-norm-layer.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture } from './architecture.js';
import { bertMembers, firstTokenClassifier } from './bert.js';

/** Buckets of distances, a half for each direction: transformers' `modeling_mpnet.py` has it as a constant. */
const BUCKETS = 32;
/** From this distance on, all tokens are in the last bucket of their direction. */
const FARTHEST = 128;
/** Positions are counted from after the padding id, which is a constant as well. */
const PADDING = 1;
const FIRST_POSITION = PADDING + 1;

const members = encoderConfig({
  ...bertMembers,
  only: { ...bertMembers.only, relative_attention_num_buckets: [BUCKETS] },
});

/**
 * MPNet: Song et al. 2020. BERT's layers without token types; a learned bias for the distance of query and key is
 * added to the scores, the same in all layers.
 */
export const mpnet: Architecture = {
  name: 'mpnet',
  modelTypes: ['mpnet'],
  positionTypes: ['absolute'],
  read(file) {
    const { value, ...told } = readClosed(file, members);
    const heads = value.num_attention_heads;
    const layer = { heads, activation: ACTIVATIONS[value.hidden_act] ?? 'erf', epsilon: value.layer_norm_eps };
    return {
      ...told,
      value: {
        hiddenSize: value.hidden_size,
        positions: (value.max_position_embeddings ?? Infinity) - FIRST_POSITION,
        firstPosition: FIRST_POSITION,
        padTokenId: value.pad_token_id ?? 1,
        attention: squareAttention(heads, true),
        heads: { classifier: firstTokenClassifier('classifier.dense', 'tangent', 'classifier.out_proj') },
        async build(graph, reader, { linear, tokenTypes }) {
          const weights = new NamedWeights(reader, 'mpnet.', 'embeddings.word_embeddings.weight');
          const positions = await weights.tensor('embeddings.position_embeddings.weight');
          const embeddings = {
            words: await weights.tensor('embeddings.word_embeddings.weight'),
            positions,
            positionsAfter: PADDING,
            types: null,
            norm: await weights.norm('embeddings.LayerNorm'),
            epsilon: value.layer_norm_eps,
          };
          const embedded = await addEmbeddings(graph, embeddings, tokenTypes);
          const { lengths } = embedded;
          let { hidden } = embedded;
          const { data } = await weights.tensor('encoder.relative_attention_bias.weight');
          const scoreBias = await addDistanceBias(graph, 'distances', {
            heads,
            positions: positions.shape[0]! - FIRST_POSITION,
            at: (head, distance) => data[bucketOf(distance) * heads + head]!,
          });
          for (let index = 0; index < value.num_hidden_layers; index++) {
            const names = layerNames(index);
            hidden = await addPostNormLayer(graph, `layer${index}`, { hidden, lengths }, weights, names, {
              ...layer,
              linear,
              scoreBias,
            });
          }
          return { hidden, lengths };
        },
      },
    };
  },
};

/** Keys after the query have the upper half of the buckets. Near distances have one each, others share by logarithm. */
function bucketOf(distance: number): number {
  const half = BUCKETS / 2;
  const exact = half / 2;
  const side = distance > 0 ? half : 0;
  const far = Math.abs(distance);
  if (far < exact) return side + far;
  const steps = Math.floor((Math.log2(far / exact) / Math.log2(FARTHEST / exact)) * (half - exact));
  return side + Math.min(exact + steps, half - 1);
}

function layerNames(index: number): LayerNames {
  const attention = `encoder.layer.${index}.attention`;
  return {
    ...bertLayerNames(index),
    query: `${attention}.attn.q`,
    key: `${attention}.attn.k`,
    value: `${attention}.attn.v`,
    mix: `${attention}.attn.o`,
    attendedNorm: `${attention}.LayerNorm`,
  };
}
