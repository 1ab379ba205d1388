import { z } from 'zod';
import { readJson, type JsonFile, type KnownMembers } from './closed-file.js';

/** Names that some families have for the members of `config.json` that most families name alike. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  hidden_size: ['dim', 'n_embd', 'd_model'],
  num_hidden_layers: ['n_layers', 'n_layer', 'num_layers'],
  num_attention_heads: ['n_heads', 'n_head', 'num_heads'],
  max_position_embeddings: ['n_positions'],
  hidden_act: ['activation', 'activation_function'],
};

/** Reads `config.json`, and adds the usual names of members that this family names otherwise. */
export async function readConfig(path: string): Promise<JsonFile> {
  const { json } = await readJson(path);
  if (json === null || typeof json !== 'object') return { path, json };
  const members: Record<string, unknown> = { ...json };
  for (const [name, aliases] of Object.entries(ALIASES)) {
    const alias = aliases.find((one) => members[one] !== undefined && members[one] !== null);
    if (members[name] === undefined && alias !== undefined) members[name] = members[alias];
  }
  return { path, json: members };
}

/** Members of `config.json` that are read for every model. */
export const commonMembers = {
  model_type: z.string().optional(),
  position_embedding_type: z.string().nullish(),
  hidden_size: z.int().positive(),
  max_position_embeddings: z.int().positive().optional(),
  pad_token_id: z.int().nonnegative().nullish(),
  matryoshka_dimensions: z.array(z.int().positive()).optional(),
};

/**
 * Members of an encoder's `config.json` other than those of its architecture. The lists contain the members of
 * transformers' `PretrainedConfig` (versions 4 and 5, without those of its subclasses), and those that tools add.
 */
const ENCODER_ONLY: Readonly<Record<string, readonly unknown[]>> = {
  // In a decoder, a token attends only to the tokens before it.
  is_decoder: [false],
  is_encoder_decoder: [false],
  add_cross_attention: [false],
  // Layers with fewer heads than the others.
  pruned_heads: [{}],
  per_layer_config: [{}],
  // Weights that are not stored as floats.
  quantization_config: [null],
  // The model is computed by code in its own folder. An architecture that computes the same lists it as harmless.
  auto_map: [null],
};

const OF_SAVING = [
  '_name_or_path',
  'name_or_path',
  '_commit_hash',
  'transformers_version',
  'architectures',
  'torch_dtype',
  'dtype',
  'vocab_size',
  'tokenizer_class',
  'bos_token_id',
  'eos_token_id',
  'sep_token_id',
  'decoder_start_token_id',
  'transformers.js_config',
  'sentence_transformers',
];

const OF_RUNNING = [
  'return_dict',
  'output_hidden_states',
  'output_attentions',
  'output_past',
  'use_cache',
  'torchscript',
  'use_bfloat16',
  'gradient_checkpointing',
  '_attn_implementation',
  '_attn_implementation_autoset',
  'attn_implementation',
  // Computing the feed-forward layers in chunks gives the same result.
  'chunk_size_feed_forward',
  'tie_word_embeddings',
  'tie_encoder_decoder',
  'cross_attention_hidden_size',
];

const OF_TRAINING = ['initializer_range', 'tf_legacy_loss'];

const OF_TASKS = [
  'id2label',
  'label2id',
  'num_labels',
  'problem_type',
  'finetuning_task',
  'task_specific_params',
  'prefix',
];

const OF_GENERATION = [
  'max_length',
  'min_length',
  'do_sample',
  'early_stopping',
  'num_beams',
  'num_beam_groups',
  'diversity_penalty',
  'temperature',
  'top_k',
  'top_p',
  'typical_p',
  'repetition_penalty',
  'length_penalty',
  'no_repeat_ngram_size',
  'encoder_no_repeat_ngram_size',
  'bad_words_ids',
  'num_return_sequences',
  'output_scores',
  'return_dict_in_generate',
  'forced_bos_token_id',
  'forced_eos_token_id',
  'remove_invalid_values',
  'exponential_decay_length_penalty',
  'suppress_tokens',
  'begin_suppress_tokens',
];

/** Known members of an encoder's `config.json`: those common to all encoders, and those of its architecture. */
export function encoderConfig<Used extends z.ZodRawShape>({
  used,
  only,
  harmless,
}: KnownMembers<Used>): KnownMembers<typeof commonMembers & Used> {
  const own = new Set([...Object.keys(used), ...harmless]);
  const common = Object.entries(ENCODER_ONLY).filter(([member]) => !own.has(member));
  return {
    used: { ...commonMembers, ...used },
    only: { ...Object.fromEntries(common), ...only },
    harmless: [...OF_SAVING, ...OF_RUNNING, ...OF_TRAINING, ...OF_TASKS, ...OF_GENERATION, ...harmless],
  };
}
