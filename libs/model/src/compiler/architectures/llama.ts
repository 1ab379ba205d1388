import type { Architecture } from './architecture.js';
import { readLlamaLike } from './llama-like.js';

/** Llama: Touvron et al. 2023; transformers' `models/llama`. */
export const llama: Architecture = {
  name: 'llama',
  modelTypes: ['llama'],
  positionTypes: ['absolute'],
  read: (config) =>
    readLlamaLike(config, {
      biases: 'config',
      headNorms: false,
      causal: true,
      scalings: ['llama3'],
      window: 'never',
      theta: 10_000,
      epsilon: 1e-6,
      padTokenId: 0,
      ownCode: false,
      harmless: [],
    }),
};
