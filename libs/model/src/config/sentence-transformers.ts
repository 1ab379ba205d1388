import { z } from 'zod';
import type { KnownMembers } from './closed-file.js';

/** Known members of the files that sentence-transformers writes beside a model. */
export const sentenceBert = {
  used: {
    max_seq_length: z.int().positive().nullish(),
    /** The text is lower-cased before the tokenizer gets it. */
    do_lower_case: z.boolean().nullish(),
    // Only the text modality is used.
    modality_config: z
      .object({ text: z.object({ method: z.literal('forward'), method_output_name: z.literal('last_hidden_state') }) })
      .nullish(),
  },
  only: {
    transformer_task: ['feature-extraction'],
    module_output_name: ['token_embeddings'],
  },
  harmless: ['unpad_inputs'],
} satisfies KnownMembers<z.ZodRawShape>;

export const sentenceTransformers = {
  used: {
    prompts: z.record(z.string(), z.string()).nullish(),
    default_prompt_name: z.string().nullish(),
    /** Vectors are cut to this length. */
    truncate_dim: z.int().positive().nullish(),
    matryoshka_dims: z.array(z.int().positive()).optional(),
  },
  only: { model_type: ['SentenceTransformer'] },
  harmless: ['__version__', 'similarity_fn_name'],
} satisfies KnownMembers<z.ZodRawShape>;

/** `pooling_mode` since version 5.4; before that, one member per mode. */
export const pooling = {
  used: {
    pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
    pooling_mode_cls_token: z.boolean().default(false),
    pooling_mode_mean_tokens: z.boolean().default(false),
    pooling_mode_max_tokens: z.boolean().default(false),
  },
  only: {
    pooling_mode_mean_sqrt_len_tokens: [false],
    pooling_mode_weightedmean_tokens: [false],
    pooling_mode_lasttoken: [false],
    include_prompt: [true],
  },
  harmless: ['word_embedding_dimension', 'embedding_dimension'],
} satisfies KnownMembers<z.ZodRawShape>;

/** One entry of `modules.json`, which is a list. */
export const sentenceModule = {
  used: { type: z.string(), path: z.string().nullish() },
  only: {},
  harmless: ['idx', 'name'],
} satisfies KnownMembers<z.ZodRawShape>;
