import { GOLDENS, readGolden, writeCheckpoint } from '../goldens/golden.js';
import { REFUSED } from '../goldens/not-yet.js';
import { TinyCheckpoint } from './tiny-checkpoint.js';

type Write = (folder: string) => Promise<void>;

const [HIDDEN, HEADS, INNER, LAYERS, VOCABULARY] = [32, 2, 48, 2, 60];
const SIZES = {
  hidden_size: HIDDEN,
  num_attention_heads: HEADS,
  num_hidden_layers: LAYERS,
  intermediate_size: INNER,
  vocab_size: VOCABULARY,
  max_position_embeddings: 64,
  pad_token_id: 0,
};

/** Small checkpoints of all compiled families by name: the goldens, and what transformers has no class for. */
export const CHECKPOINTS: Readonly<Record<string, Write>> = {
  ...Object.fromEntries(
    GOLDENS.filter((name) => !(name in REFUSED) && readGolden(name).kind === 'embed').map((name) => [
      name,
      (folder: string) => writeCheckpoint(readGolden(name), folder),
    ]),
  ),
  'gte': writeGte,
  'jina-bert': (folder) => writeJinaBert(folder, false),
  'jina-bert-code': (folder) => writeJinaBert(folder, true),
  'llama-biased': writeBiasedLlama,
  'modernbert-biased': writeBiasedModernBert,
};

async function writeGte(folder: string): Promise<void> {
  const tiny = new TinyCheckpoint();
  tiny.tensor('embeddings.word_embeddings.weight', [VOCABULARY, HIDDEN], 1);
  tiny.norm('embeddings.LayerNorm', HIDDEN, { shift: true });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`;
    tiny.linear(`${at}.attention.qkv_proj`, 3 * HIDDEN, HIDDEN, true);
    tiny.linear(`${at}.attention.o_proj`, HIDDEN, HIDDEN, true);
    tiny.norm(`${at}.attn_ln`, HIDDEN, { shift: true });
    tiny.linear(`${at}.mlp.up_gate_proj`, 2 * INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.down_proj`, HIDDEN, INNER, true);
    tiny.norm(`${at}.mlp_ln`, HIDDEN, { shift: true });
  }
  const own = { model_type: 'new', position_embedding_type: 'rope', type_vocab_size: 0 };
  await tiny.write(folder, { ...SIZES, ...own }, 'cls');
}

/** @param code the models for code have norms of queries and keys */
async function writeJinaBert(folder: string, code: boolean): Promise<void> {
  const tiny = new TinyCheckpoint();
  tiny.tensor('embeddings.word_embeddings.weight', [VOCABULARY, HIDDEN], 1);
  tiny.tensor('embeddings.token_type_embeddings.weight', [2, HIDDEN], 0.3);
  tiny.norm('embeddings.LayerNorm', HIDDEN, { shift: true });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['self.query', 'self.key', 'self.value', 'output.dense']) {
      tiny.linear(`${at}.attention.${part}`, HIDDEN, HIDDEN, true);
    }
    tiny.norm(`${at}.attention.output.LayerNorm`, HIDDEN, { shift: true });
    tiny.linear(`${at}.mlp.${code ? 'up_gated_layer' : 'gated_layers'}`, 2 * INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.${code ? 'down_layer' : 'wo'}`, HIDDEN, INNER, true);
    const norms = ['attention.self.layer_norm_q', 'attention.self.layer_norm_k', 'layer_norm_1', 'layer_norm_2'];
    for (const norm of code ? norms : ['mlp.layernorm']) tiny.norm(`${at}.${norm}`, HIDDEN, { shift: true });
  }
  const own = { model_type: 'bert', position_embedding_type: 'alibi', feed_forward_type: 'geglu' };
  await tiny.write(folder, { ...SIZES, ...own });
}

/** With all biases that its configuration allows, which goldens of Llama's relatives do not have. */
async function writeBiasedLlama(folder: string): Promise<void> {
  const tiny = new TinyCheckpoint();
  tiny.tensor('embed_tokens.weight', [VOCABULARY, HIDDEN], 1);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `layers.${layer}`;
    for (const part of ['q', 'k', 'v', 'o']) tiny.linear(`${at}.self_attn.${part}_proj`, HIDDEN, HIDDEN, true);
    for (const part of ['gate', 'up']) tiny.linear(`${at}.mlp.${part}_proj`, INNER, HIDDEN, true);
    tiny.linear(`${at}.mlp.down_proj`, HIDDEN, INNER, true);
    for (const norm of ['input', 'post_attention']) tiny.norm(`${at}.${norm}_layernorm`, HIDDEN, { shift: false });
  }
  tiny.norm('norm', HIDDEN, { shift: false });
  await tiny.write(folder, { ...SIZES, model_type: 'llama', attention_bias: true, mlp_bias: true });
}

/** Biases of products, but none of norms. */
async function writeBiasedModernBert(folder: string): Promise<void> {
  const tiny = new TinyCheckpoint();
  tiny.tensor('embeddings.tok_embeddings.weight', [VOCABULARY, HIDDEN], 1);
  tiny.norm('embeddings.norm', HIDDEN, { shift: false });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `layers.${layer}`;
    if (layer > 0) tiny.norm(`${at}.attn_norm`, HIDDEN, { shift: false });
    tiny.linear(`${at}.attn.Wqkv`, 3 * HIDDEN, HIDDEN, true);
    tiny.linear(`${at}.attn.Wo`, HIDDEN, HIDDEN, true);
    tiny.norm(`${at}.mlp_norm`, HIDDEN, { shift: false });
    tiny.linear(`${at}.mlp.Wi`, 2 * INNER, HIDDEN, true);
    tiny.linear(`${at}.mlp.Wo`, HIDDEN, INNER, true);
  }
  tiny.norm('final_norm', HIDDEN, { shift: false });
  const own = { model_type: 'modernbert', attention_bias: true, mlp_bias: true, local_attention: 8 };
  await tiny.write(folder, { ...SIZES, ...own });
}
