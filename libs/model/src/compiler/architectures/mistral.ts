import type { Architecture } from './architecture.js';
import { readLlamaLike } from './llama-like.js';

/** Mistral: Jiang et al. 2023; transformers' `models/mistral`. Its window, if it has one, is in every layer. */
export const mistral: Architecture = {
  name: 'mistral',
  modelTypes: ['mistral'],
  positionTypes: ['absolute'],
  read: (config) =>
    readLlamaLike(config, {
      biases: { input: false, output: false },
      headNorms: false,
      causal: true,
      scalings: [],
      window: 'always',
      theta: 10_000,
      epsilon: 1e-6,
      padTokenId: 0,
      ownCode: false,
      harmless: [],
    }),
};
