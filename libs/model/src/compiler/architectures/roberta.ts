import type { Architecture } from './architecture.js';
import { readBertLike } from './bert.js';

/**
 * RoBERTa, XLM-RoBERTa and CamemBERT: BERT's layers. Positions are numbered from after the padding id (transformers'
 * `create_position_ids_from_input_ids`), so the first rows of the table are never used; as texts are padded at their
 * end only, the rest counts from 0 like BERT's.
 */
export const roberta: Architecture = {
  name: 'roberta',
  modelTypes: ['roberta', 'xlm-roberta', 'camembert'],
  positionTypes: ['absolute'],
  read: (config) =>
    readBertLike(config, { prefix: 'roberta.', padTokenId: 1, firstPosition: (padTokenId) => padTokenId + 1 }),
};
