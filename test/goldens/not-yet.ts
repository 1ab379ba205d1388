/**
 * Goldens that this version does not serve as they are. `goldens.spec.ts` fails when an entry is no longer true, so the
 * lists cannot outlive their reasons. All other goldens are served.
 */

/** Refused when the model is loaded: name -> what the refusal says. */
export const REFUSED: Readonly<Record<string, RegExp>> = {
  'albert-mean': /model_type "albert"/,
  'bert-cls-mean': /asks for cls and mean/,
  'bert-dense-new': /a module that Embedmill cannot run/,
  'bert-dense-residual': /a module that Embedmill cannot run/,
  'bert-dense-tanh': /a module that Embedmill cannot run/,
  'bert-in-folder': /no config\.json/,
  'bert-last': /asks for lasttoken/,
  'bert-lower': /do_lower_case is true/,
  'bert-mean-max-old': /asks for mean and max/,
  'bert-relu': /hidden_act is "relu"/,
  'bert-silu': /hidden_act is "silu"/,
  'bert-splade': /a module that Embedmill cannot run/,
  'bert-sqrt-len': /pooling_mode_mean_sqrt_len_tokens is true/,
  'bert-weighted': /asks for weightedmean/,
  'bert-without-prompt': /include_prompt is false/,
  'distilbert-cls-new': /hidden_size/,
  'distilbert-mean': /hidden_size/,
  'electra-mean': /model_type "electra"/,
  'electra-same-size': /model_type "electra"/,
  'eurobert-mean': /model_type "eurobert"/,
  'gemma3-causal-last': /model_type "gemma3_text"/,
  'gemma3-dense': /a module that Embedmill cannot run/,
  'llama-last': /model_type "llama"/,
  'llama-scaled-mean': /model_type "llama"/,
  'mistral-last': /model_type "mistral"/,
  'mistral-window-mean': /model_type "mistral"/,
  'modernbert-cls': /model_type "modernbert"/,
  'modernbert-mean': /model_type "modernbert"/,
  'modernbert-pairs': /model_type "modernbert"/,
  'mpnet-cls-new': /model_type "mpnet"/,
  'mpnet-mean': /model_type "mpnet"/,
  'nomic-bert-mean': /model_type "nomic_bert"/,
  'qwen2-last': /model_type "qwen2"/,
  'qwen3-both-ways-mean': /model_type "qwen3"/,
  'qwen3-last': /model_type "qwen3"/,
  'qwen3-last-new': /model_type "qwen3"/,
  'qwen3-mean': /model_type "qwen3"/,
  'static-mean': /no config\.json/,
};

/** Loaded, but not with the vectors of sentence-transformers: name -> why. */
export const ANOTHER_VECTOR: Readonly<Record<string, string>> = {
  'bert-default-prompt': 'default_prompt_name is not used',
  'bert-pairs': 'a cross-encoder is served as an embedding model',
  'bert-truncate-dim': 'truncate_dim is not used',
  'roberta-own-limit': 'sentence_roberta_config.json is not read',
  'xlm-roberta-pairs': 'a cross-encoder is served as an embedding model',
};

/** Texts to which a kind of tokenizer gives other ids than the tokenizer of transformers: kind -> indexes of texts. */
export const OTHER_IDS: Readonly<Record<string, readonly number[]>> = {};
