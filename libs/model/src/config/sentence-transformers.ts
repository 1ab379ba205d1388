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

const mode = z.boolean().default(false);

/** `pooling_mode` since version 5.4; before that, one member per mode. */
export const pooling = {
  used: {
    pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
    pooling_mode_cls_token: mode,
    pooling_mode_max_tokens: mode,
    pooling_mode_mean_tokens: mode,
    pooling_mode_mean_sqrt_len_tokens: mode,
    pooling_mode_weightedmean_tokens: mode,
    pooling_mode_lasttoken: mode,
    /** Whether the tokens of the prompt are pooled. */
    include_prompt: z.boolean().nullish(),
  },
  only: {},
  harmless: ['word_embedding_dimension', 'embedding_dimension'],
} satisfies KnownMembers<z.ZodRawShape>;

/** Activations of a Dense module by the names of their classes in PyTorch. */
const DENSE_ACTIVATIONS = {
  'torch.nn.modules.activation.Tanh': 'tanh',
  'torch.nn.modules.activation.ReLU': 'relu',
  'torch.nn.modules.activation.GELU': 'gelu',
  'torch.nn.modules.linear.Identity': 'identity',
} as const;
export type DenseActivation = (typeof DENSE_ACTIVATIONS)[keyof typeof DENSE_ACTIVATIONS];

/** `config.json` of a Dense module. */
export const dense = {
  used: {
    in_features: z.int().positive(),
    out_features: z.int().positive(),
    bias: z.boolean().default(true),
    activation_function: z.string().default('torch.nn.modules.activation.Tanh'),
    use_residual: z.boolean().default(false),
  },
  only: {
    activation_function: Object.keys(DENSE_ACTIVATIONS),
    module_input_name: ['sentence_embedding'],
    module_output_name: ['sentence_embedding'],
  },
  harmless: [],
} satisfies KnownMembers<z.ZodRawShape>;

/** The activation that a Dense module's class name stands for; the name has been checked. */
export function denseActivation(name: string): DenseActivation {
  return DENSE_ACTIVATIONS[name as keyof typeof DENSE_ACTIVATIONS];
}

/** `config.json` of a SpladePooling module. */
export const spladePooling = {
  used: {
    pooling_strategy: z.enum(['max', 'sum']).default('max'),
    activation_function: z.enum(['relu', 'log1p_relu']).default('relu'),
  },
  only: {},
  // Sizes, and how many tokens are computed at once.
  harmless: ['embedding_dimension', 'word_embedding_dimension', 'chunk_size'],
} satisfies KnownMembers<z.ZodRawShape>;

/** `config.json` of a LogitScore module: the tokens of a language model's answers. */
export const logitScore = {
  used: { true_token_id: z.int().nonnegative(), false_token_id: z.int().nonnegative().nullish() },
  only: { module_input_name: ['causal_logits'] },
  harmless: [],
} satisfies KnownMembers<z.ZodRawShape>;

/** One entry of `modules.json`, which is a list. */
export const sentenceModule = {
  used: { type: z.string(), path: z.string().nullish() },
  only: {},
  harmless: ['idx', 'name'],
} satisfies KnownMembers<z.ZodRawShape>;
