import { z } from 'zod';
import { readClosed, type JsonFile, type Reading } from '../../config/closed-file.js';
import { readRope, ropeMembers } from '../../config/rope.js';
import { encoderConfig } from '../../config/transformers.js';
import { groupedAttention } from '../layers/attention-memory.js';
import type { Activation } from '../layers/activation.js';
import type { Hidden } from '../layers/embeddings.js';
import { addFeedForward } from '../layers/feed-forward.js';
import { type GateActivation, gatedForward } from '../layers/gated-feed-forward.js';
import { addMixtureOfExperts } from '../layers/mixture-of-experts.js';
import { type AddForward, addPostNormLayers } from '../layers/post-norm-layers.js';
import { addNorm } from '../layers/residual.js';
import { addRotaryTables, type Rotation } from '../layers/rotary.js';
import { addSequences, addTokenEmbeddings } from '../layers/token-embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { transposed } from '../weights/matrix.js';
import { NamedWeights, sideBySide } from '../weights/named-weights.js';
import type { Architecture, BuildOptions, Encoder } from './architecture.js';

/**
 * NomicBERT: Nussbaum et al. 2024; the code beside nomic-embed-text-v1.5 and -v2-moe, where some layers are mixtures of experts,
 * and transformers' `models/nomic_bert`, whose configuration has the usual names and fewer choices.
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
/** Values of `activation_function` without a gate. */
const UNGATED: Readonly<Record<string, Activation>> = {
  gelu: 'erf',
  gelu_new: 'tanh',
  gelu_fast: 'tanh',
  gelu_pytorch_tanh: 'tanh',
};

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
    num_experts: z.int().nonnegative().nullish(),
    moe_every_n_layers: z.int().nonnegative().nullish(),
    moe_top_k: z.int().positive().default(1),
    ...ropeMembers,
  },
  only: {
    activation_function: [...Object.keys(GATES), ...Object.keys(UNGATED)],
    hidden_act: [...Object.keys(ACTIVATIONS), ...Object.keys(UNGATED)],
    prenorm: [false],
    causal: [false],
    use_rms_norm: [false],
    parallel_block: [false],
    parallel_block_tied_norm: [false],
    rotary_emb_fraction: [1],
    rotary_emb_interleaved: [false],
    rotary_emb_scale_base: [null],
    rope_scaling: [{}],
    moe_normalize_expert_weights: [false],
    expert_choice_router: [false],
    num_shared_experts: [0],
    ffn_div: [1],
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
    'moe_resid_pdrop',
    'moe_impl',
    'router_aux_loss_coef',
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
  /** Of layers without a gate; null where all have one. */
  readonly ungated: Activation | null;
  /** Mixtures of experts, in the second of every `every` layers; null when there are none. */
  readonly mixture: { readonly every: number; readonly experts: number; readonly chosen: number } | null;
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
    ungated: UNGATED[value.activation_function ?? ''] ?? null,
    mixture: value.moe_every_n_layers
      ? { every: value.moe_every_n_layers, experts: value.num_experts ?? 0, chosen: value.moe_top_k }
      : null,
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
    ...(config.mixture === null ? {} : { fp32Only: 'which experts a token goes to depends on the last digits' }),
    build: (graph, reader, options) =>
      buildNomicBert(graph, new NamedWeights(reader, 'bert.', 'embeddings.word_embeddings.weight'), config, options),
  };
  return {
    value: encoder,
    refusals: [...refusals, ...mixtureRefusals(file, config), ...rope.refusals],
    warnings,
  };
}

function mixtureRefusals({ path }: JsonFile, { mixture, ungated }: NomicBertConfig): string[] {
  if (mixture === null) return [];
  const { chosen, experts } = mixture;
  if (ungated === null)
    return [`${path}: moe_every_n_layers is ${mixture.every}; Embedmill knows experts only without a gate`];
  if (chosen <= experts) return [];
  return [`${path}: moe_top_k is ${chosen}, but num_experts is ${experts}`];
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
    return {
      weights: {
        packed: await weights.projection(`${from}.attn.Wqkv`, biased.attention),
        output: await weights.projection(`${from}.attn.out_proj`, biased.attention),
        headNorms: null,
      },
      attended: await weights.norm(`${from}.norm1`),
      forward: await forwardOf(weights, index, config),
      output: await weights.norm(`${from}.norm2`),
    };
  });
  return { hidden, lengths: sequences.lengths };
}

/** A layer's second branch: experts, two linear layers, or such with a gate. */
async function forwardOf(weights: NamedWeights, index: number, config: NomicBertConfig): Promise<AddForward> {
  const { activation, biased, mixture, ungated } = config;
  const at = `encoder.layers.${index}.mlp`;
  if (mixture !== null && ungated !== null && index % mixture.every === 1) {
    const wide = await weights.stacked(`${at}.experts.mlp.w1`, mixture.experts);
    const narrow = await weights.stacked(`${at}.experts.mlp.w2`, mixture.experts);
    const parts = {
      router: await weights.projection(`${at}.router.layer`, false),
      chosen: mixture.chosen,
      // The second matrix is stored as it is used, the first one the other way round.
      experts: wide.map((one, n) => ({
        wide: { matrix: transposed(one), bias: null },
        narrow: { matrix: narrow[n]!, bias: null },
      })),
      activation: ungated,
      bias: await weights.vector(`${at}.experts.bias`),
    };
    return (graph, linear, name, input) => addMixtureOfExperts(graph, linear, name, input, parts);
  }
  const narrow = await weights.projection(`${at}.fc2`, biased.narrow);
  if (ungated !== null) {
    const parts = { wide: await weights.projection(`${at}.fc1`, biased.wide), narrow, activation: ungated };
    return (graph, linear, name, input) => addFeedForward(graph, linear, name, input, parts);
  }
  const gate = await weights.projection(`${at}.fc12`, biased.wide);
  const other = await weights.projection(`${at}.fc11`, biased.wide);
  return gatedForward({ wide: sideBySide([gate, other]), gate: 'first', narrow, activation });
}
