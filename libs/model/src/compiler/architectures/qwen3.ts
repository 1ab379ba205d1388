import type { Architecture } from './architecture.js';
import { readLlamaLike } from './llama-like.js';

/** Qwen3: transformers' `models/qwen3`. Causal as a language model; some encoders made from it are bidirectional. */
export const qwen3: Architecture = {
  name: 'qwen3',
  modelTypes: ['qwen3'],
  positionTypes: ['absolute'],
  read: (config) =>
    readLlamaLike(config, {
      biases: 'config',
      headNorms: true,
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
