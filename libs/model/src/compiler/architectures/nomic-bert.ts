import { z } from 'zod';
import { readClosed, type JsonFile, type Reading } from '../../config/closed-file.js';
import { readRope, ropeMembers } from '../../config/rope.js';
import { encoderConfig } from '../../config/transformers.js';
import { groupedAttention } from '../layers/attention-memory.js';
import type { Hidden } from '../layers/embeddings.js';
import type { GateActivation } from '../layers/gated-feed-forward.js';
import { addPostNormLayers } from '../layers/post-norm-layers.js';
import { addNorm } from '../layers/residual.js';
import { addRotaryTables, type Rotation } from '../layers/rotary.js';
import { addSequences, addTokenEmbeddings } from '../layers/token-embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { NamedWeights, sideBySide } from '../weights/named-weights.js';
import type { Architecture, BuildOptions, Encoder } from './architecture.js';

/**
 * NomicBERT: Nussbaum et al. 2024; the code beside nomic-embed-text-v1.5, without mixture of experts, and transformers'
 * `models/nomic_bert`, whose configuration has the usual names and fewer choices.
 */
export const nomicBert: Architecture = {
  name: 'nomic-bert',
  modelTypes: ['nomic_bert'],
  positionTypes: ['absolute'],
  read: readNomicBert,
};

/** Values of `activation_function`; transformers' own models always have a gate, and say what goes through it. */
const GATES: Readonly<Record<string, GateActivation>> = { swiglu: 'silu', geglu: 'erf' };
const ACTIVATIONS: Readonly<Record<string, GateActivation>> = { silu: 'silu', gelu: 'erf', ...GATES };

const members = encoderConfig({
  used: {
    num_hidden_layers: z.int().positive(),
    num_attention_heads: z.int().positive(),
    n_positions: z.int().positive().optional(),
    max_trained_positions: z.int().positive().default(2048),
    activation_function: z.string().optional(),
    hidden_act: z.string().default('silu'),
    layer_norm_epsilon: z.number().positive().optional(),
    layer_norm_eps: z.number().positive().default(1e-12),
    rotary_emb_base: z.number().positive().default(10_000),
    rotary_scaling_factor: z.number().positive().nullish(),
    qkv_proj_bias: z.boolean().optional(),
    mlp_fc1_bias: z.boolean().optional(),
    mlp_fc2_bias: z.boolean().optional(),
    ...ropeMembers,
  },
  only: {
    activation_function: Object.keys(GATES),
    hidden_act: Object.keys(ACTIVATIONS),
    prenorm: [false],
    causal: [false],
    use_rms_norm: [false],
    parallel_block: [false],
    parallel_block_tied_norm: [false],
    rotary_emb_fraction: [1],
    rotary_emb_interleaved: [false],
    rotary_emb_scale_base: [null],
    rope_scaling: [{}],
    num_experts: [0],
    moe_every_n_layers: [0],
    scale_attn_weights: [true],
    scale_attn_by_inverse_layer_idx: [false],
  },
  harmless: [
    'auto_map',
    'n_embd',
    'n_inner',
    'n_head',
    'n_layer',
    'intermediate_size',
    'head_dim',
    'num_key_value_heads',
    'type_vocab_size',
    'hidden_dropout_prob',
    'attention_probs_dropout_prob',
    'classifier_dropout',
    'pad_vocab_size_multiple',
    'attn_pdrop',
    'embd_pdrop',
    'resid_pdrop',
    // How the original code computes the same.
    'use_flash_attn',
    'use_xentropy',
    'fused_bias_fc',
    'fused_dropout_add_ln',
    'reorder_and_upcast_attn',
    'dense_seq_output',
    // Of other numbers of experts than none.
    'moe_top_k',
    'moe_normalize_expert_weights',
    'moe_resid_pdrop',
    'moe_impl',
    'expert_choice_router',
    'ffn_div',
    'router_aux_loss_coef',
    'num_shared_experts',
    // Of GPT-2, whose configuration this one extends.
    'summary_activation',
    'summary_first_dropout',
    'summary_proj_to_labels',
    'summary_type',
    'summary_use_proj',
  ],
});

interface NomicBertConfig {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: GateActivation;
  readonly epsilon: number;
  readonly biased: { readonly attention: boolean; readonly wide: boolean; readonly narrow: boolean };
  readonly rotation: Rotation;
}

function readNomicBert(file: JsonFile): Reading<Encoder> {
  const { value, refusals, warnings } = readClosed(file, members);
  const all = value.n_positions ?? value.max_position_embeddings ?? value.max_trained_positions;
  const rope = readRope(file, value, { theta: value.rotary_emb_base, kinds: [] });
  const biased = value.activation_function !== undefined;
  const config: NomicBertConfig = {
    hiddenSize: value.hidden_size,
    layers: value.num_hidden_layers,
    heads: value.num_attention_heads,
    activation: ACTIVATIONS[value.activation_function ?? value.hidden_act] ?? 'silu',
    epsilon: value.layer_norm_epsilon ?? value.layer_norm_eps,
    biased: {
      attention: value.qkv_proj_bias ?? biased,
      wide: value.mlp_fc1_bias ?? biased,
      narrow: value.mlp_fc2_bias ?? biased,
    },
    rotation: rope.rotation,
  };
  const encoder: Encoder = {
    hiddenSize: value.hidden_size,
    positions: scaledOnlyAfter(value.rotary_scaling_factor, value.max_trained_positions, all),
    firstPosition: 0,
    padTokenId: value.pad_token_id ?? 0,
    attention: groupedAttention(value.num_attention_heads, false, false),
    build: (graph, reader, options) =>
      buildNomicBert(graph, new NamedWeights(reader, 'bert.', 'embeddings.word_embeddings.weight'), config, options),
  };
  return { value: encoder, refusals: [...refusals, ...rope.refusals], warnings };
}

/**
 * With a factor, the angles of longer texts than those of training depend on the length of the longest text in a batch,
 * so that a text's vector would depend on its neighbours: such texts are not served.
 */
function scaledOnlyAfter(factor: number | null | undefined, trained: number, all: number): number {
  return factor ? Math.min(trained, all) : all;
}

async function buildNomicBert(
  graph: GraphBuilder,
  weights: NamedWeights,
  config: NomicBertConfig,
  { linear, positions, tokenTypes }: BuildOptions,
): Promise<Hidden> {
  const { heads, epsilon, biased } = config;
  const types = 'embeddings.token_type_embeddings.weight';
  const words = await weights.tensor('embeddings.word_embeddings.weight');
  const tables = { words, types: weights.has(types) ? await weights.tensor(types) : null };
  const embedded = await addTokenEmbeddings(graph, tables, tokenTypes);
  const norm = { kind: 'layer', ...(await weights.norm('emb_ln')), epsilon } as const;
  const first = await addNorm(graph, 'embeddings', embedded, norm);
  const sequences = addSequences(graph);
  const rotary = await addRotaryTables(
    graph,
    'rotary',
    { size: config.hiddenSize / heads, positions },
    config.rotation,
  );
  const attention = { heads, keyHeads: heads, causal: false, tables: rotary, window: null };
  const rest = { count: config.layers, epsilon, attention };
  const hidden = await addPostNormLayers(graph, linear, first, sequences, rest, async (index) => {
    const from = `encoder.layers.${index}`;
    const gate = await weights.projection(`${from}.mlp.fc12`, biased.wide);
    const other = await weights.projection(`${from}.mlp.fc11`, biased.wide);
    return {
      weights: {
        packed: await weights.projection(`${from}.attn.Wqkv`, biased.attention),
        output: await weights.projection(`${from}.attn.out_proj`, biased.attention),
        headNorms: null,
      },
      attended: await weights.norm(`${from}.norm1`),
      forward: {
        wide: sideBySide([gate, other]),
        gate: 'first',
        narrow: await weights.projection(`${from}.mlp.fc2`, biased.narrow),
        activation: config.activation,
      },
      output: await weights.norm(`${from}.norm2`),
    };
  });
  return { hidden, lengths: sequences.lengths };
}
