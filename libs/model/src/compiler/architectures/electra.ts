import { readClosed } from '../../config/closed-file.js';
import { encoderConfig } from '../../config/transformers.js';
import { ACTIVATIONS } from '../layers/activation.js';
import { squareAttention } from '../layers/attention-memory.js';
import { addBias } from '../layers/bias.js';
import { addEmbeddings } from '../layers/embeddings.js';
import { addPostNormLayer, bertLayerNames } from '../layers/post-norm-layer.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture } from './architecture.js';
import { bertMembers, firstTokenClassifier } from './bert.js';

const members = encoderConfig({
  ...bertMembers,
  harmless: [
    ...bertMembers.harmless,
    // Known from the tensors' shapes.
    'embedding_size',
    // Of heads for other tasks.
    'summary_activation',
    'summary_last_dropout',
    'summary_type',
    'summary_use_proj',
  ],
});

/** ELECTRA: Clark et al. 2020. BERT's layers; in small models a linear layer widens narrower embeddings. */
export const electra: Architecture = {
  name: 'electra',
  modelTypes: ['electra'],
  positionTypes: ['absolute'],
  read(file) {
    const { value, ...told } = readClosed(file, members);
    const layer = {
      heads: value.num_attention_heads,
      activation: ACTIVATIONS[value.hidden_act] ?? 'erf',
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
        heads: { classifier: firstTokenClassifier('classifier.dense', 'erf', 'classifier.out_proj') },
        async build(graph, reader, { linear, tokenTypes }) {
          const weights = new NamedWeights(reader, 'electra.', 'embeddings.word_embeddings.weight');
          const embeddings = {
            words: await weights.tensor('embeddings.word_embeddings.weight'),
            positions: await weights.tensor('embeddings.position_embeddings.weight'),
            types: await weights.tensor('embeddings.token_type_embeddings.weight'),
            norm: await weights.norm('embeddings.LayerNorm'),
            epsilon: value.layer_norm_eps,
          };
          const embedded = await addEmbeddings(graph, embeddings, tokenTypes);
          const { lengths } = embedded;
          let { hidden } = embedded;
          if (weights.has('embeddings_project.weight')) {
            const wider = await weights.linear('embeddings_project');
            hidden = addBias(graph, 'wider', await linear.product(graph, 'wider', hidden, 'norm', wider));
          }
          for (let index = 0; index < value.num_hidden_layers; index++) {
            const names = bertLayerNames(index);
            hidden = await addPostNormLayer(graph, `layer${index}`, { hidden, lengths }, weights, names, {
              ...layer,
              linear,
            });
          }
          return { hidden, lengths };
        },
      },
    };
  },
};
