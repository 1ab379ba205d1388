import type { Architecture } from './architecture.js';
import { readLlamaLike } from './llama-like.js';

/** EuroBERT: Boizard et al. 2025: Llama's layers, in which a token attends to all tokens. */
export const eurobert: Architecture = {
  name: 'eurobert',
  modelTypes: ['eurobert'],
  positionTypes: ['absolute'],
  read: (config) =>
    readLlamaLike(config, {
      biases: 'config',
      headNorms: false,
      causal: false,
      scalings: ['llama3'],
      window: 'never',
      theta: 10_000,
      epsilon: 1e-5,
      padTokenId: 128_001,
      ownCode: true,
      harmless: [
        'hidden_dropout',
        'bos_token',
        'eos_token',
        'pad_token',
        'mask_token',
        'mask_token_id',
        // Of heads for other tasks.
        'clf_pooling',
        'classifier_pooling',
      ],
    }),
};
