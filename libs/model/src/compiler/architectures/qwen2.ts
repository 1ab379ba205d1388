import type { Architecture } from './architecture.js';
import { readLlamaLike } from './llama-like.js';

/** Qwen2: transformers' `models/qwen2`. Only queries, keys and values have biases. */
export const qwen2: Architecture = {
  name: 'qwen2',
  modelTypes: ['qwen2'],
  positionTypes: ['absolute'],
  read: (config) =>
    readLlamaLike(config, {
      biases: { input: true, output: false },
      headNorms: false,
      causal: true,
      scalings: [],
      window: 'never',
      theta: 10_000,
      epsilon: 1e-6,
      padTokenId: 0,
      ownCode: false,
      harmless: [],
    }),
};
