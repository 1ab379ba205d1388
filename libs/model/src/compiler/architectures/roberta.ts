import type { HeadParts } from '../heads/parts.js';
import type { Architecture } from './architecture.js';
import { firstTokenClassifier, type HeadSettings, readBertLike, vocabularyOf } from './bert.js';

/**
 * RoBERTa, XLM-RoBERTa and CamemBERT have BERT's layers. Their positions begin at the padding id + 1 (transformers'
 * `create_position_ids_from_input_ids`), and a padding token within a text is not counted.
 */
export const roberta: Architecture = {
  name: 'roberta',
  modelTypes: ['roberta', 'xlm-roberta', 'camembert'],
  positionTypes: ['absolute'],
  read: (config) => readBertLike(config, { prefix: 'roberta.', padTokenId: 1, afterPadding: true, heads }),
};

function heads({ epsilon, tied }: HeadSettings): HeadParts {
  return {
    classifier: firstTokenClassifier('classifier.dense', 'tangent', 'classifier.out_proj'),
    maskedLm: {
      dense: { names: ['lm_head.dense'], biased: true },
      // Whatever the layers have.
      activation: 'erf',
      norm: { name: 'lm_head.layer_norm', biased: true, epsilon },
      ...vocabularyOf('roberta.embeddings.word_embeddings', 'lm_head.decoder', tied),
      biases: ['lm_head.bias', 'lm_head.decoder.bias'],
    },
  };
}
