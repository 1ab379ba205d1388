import { z } from 'zod';
import { readClosed, type JsonFile, type Reading } from '../../config/closed-file.js';
import { readRope, ropeMembers } from '../../config/rope.js';
import { encoderConfig } from '../../config/transformers.js';
import type { HeadParts } from '../heads/parts.js';
import { ACTIVATIONS as HEAD_ACTIVATIONS } from '../layers/activation.js';
import type { GateActivation } from '../layers/gated-feed-forward.js';
import { groupedAttention } from '../layers/attention-memory.js';
import { addWindow } from '../layers/grouped-attention.js';
import type { Hidden } from '../layers/embeddings.js';
import { addPreNormLayers } from '../layers/pre-norm-layers.js';
import { addNorm, type Norm } from '../layers/residual.js';
import { addRotaryTables, type Rotation } from '../layers/rotary.js';
import { addSequences, addTokenEmbeddings } from '../layers/token-embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture, BuildOptions, Encoder } from './architecture.js';
import { vocabularyOf } from './bert.js';

/** ModernBERT: Warner et al. 2024; transformers' `models/modernbert`. */
export const modernbert: Architecture = {
  name: 'modernbert',
  modelTypes: ['modernbert'],
  positionTypes: ['absolute'],
  read: readModernBert,
};

const ACTIVATIONS: Readonly<Record<string, GateActivation>> = { gelu: 'erf', gelu_pytorch_tanh: 'tanh', silu: 'silu' };

const layerType = z.enum(['full_attention', 'sliding_attention']);

const members = encoderConfig({
  used: {
    num_hidden_layers: z.int().positive(),
    num_attention_heads: z.int().positive(),
    hidden_activation: z.string().default('gelu'),
    norm_eps: z.number().positive().default(1e-5),
    norm_bias: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    local_attention: z.int().positive().default(128),
    global_attn_every_n_layers: z.int().positive().default(3),
    global_rope_theta: z.number().positive().default(160_000),
    local_rope_theta: z.number().positive().nullish(),
    layer_types: z.array(layerType).nullish(),
    classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
    classifier_bias: z.boolean().default(false),
    classifier_activation: z.string().default('gelu'),
    decoder_bias: z.boolean().default(true),
    tie_word_embeddings: z.boolean().nullish(),
    ...ropeMembers,
  },
  only: { hidden_activation: Object.keys(ACTIVATIONS), rope_scaling: [{}] },
  harmless: [
    'intermediate_size',
    'cls_token_id',
    'embedding_dropout',
    'attention_dropout',
    'mlp_dropout',
    // A second name of norm_eps that nothing reads.
    'layer_norm_eps',
    'initializer_cutoff_factor',
    'reference_compile',
    'deterministic_flash_attn',
    'repad_logits_with_grad',
    // Of heads for other tasks.
    'classifier_dropout',
    'sparse_prediction',
    'sparse_pred_ignore_index',
  ],
});

interface ModernBertConfig {
  readonly hiddenSize: number;
  readonly heads: number;
  readonly activation: GateActivation;
  readonly epsilon: number;
  readonly biased: { readonly norm: boolean; readonly attention: boolean; readonly forward: boolean };
  /** Whether each layer attends only to a window. */
  readonly local: readonly boolean[];
  /** Largest distance of a token in the window. */
  readonly distance: number;
  readonly rotations: { readonly global: Rotation; readonly local: Rotation };
}

function headsOf(file: JsonFile, value: z.infer<z.ZodObject<typeof members.used>>): HeadParts {
  const { classifier_activation: name, classifier_bias: biased } = value;
  const activation = HEAD_ACTIVATIONS[name];
  if (activation === undefined) {
    const known = Object.keys(HEAD_ACTIVATIONS).join(', ');
    return { refusals: [`${file.path}: classifier_activation is "${name}"; Embedmill runs heads with ${known}`] };
  }
  const dense = { names: ['head.dense'], biased };
  const norm = { name: 'head.norm', biased: value.norm_bias, epsilon: value.norm_eps };
  return {
    classifier: {
      pooling: value.classifier_pooling,
      padTokenId: null,
      dense: { ...dense, activation, optional: false },
      norm,
      output: { names: ['classifier'], biased: true },
    },
    maskedLm: {
      dense,
      activation,
      norm,
      ...vocabularyOf('model.embeddings.tok_embeddings', 'decoder', value.tie_word_embeddings ?? true),
      biases: value.decoder_bias ? ['decoder.bias'] : [],
    },
  };
}

function readModernBert(file: JsonFile): Reading<Encoder> {
  const { value, refusals, warnings } = readClosed(file, members);
  const positions = value.max_position_embeddings ?? 8192;
  const rope = (theta: number, part: string) =>
    readRope(file, { rope_parameters: value.rope_parameters }, { theta, kinds: [], part });
  const global = rope(value.global_rope_theta, 'full_attention');
  const local = rope(value.local_rope_theta ?? 10_000, 'sliding_attention');
  const types = Array.from({ length: value.num_hidden_layers }, (_, index) =>
    value.layer_types ? value.layer_types[index] === 'sliding_attention' : index % value.global_attn_every_n_layers > 0,
  );
  const config: ModernBertConfig = {
    hiddenSize: value.hidden_size,
    heads: value.num_attention_heads,
    activation: ACTIVATIONS[value.hidden_activation] ?? 'erf',
    epsilon: value.norm_eps,
    biased: { norm: value.norm_bias, attention: value.attention_bias, forward: value.mlp_bias },
    local: types,
    distance: Math.floor(value.local_attention / 2),
    rotations: { global: global.rotation, local: local.rotation },
  };
  const encoder: Encoder = {
    hiddenSize: value.hidden_size,
    positions,
    firstPosition: 0,
    padTokenId: value.pad_token_id ?? 50_283,
    attention: groupedAttention(value.num_attention_heads, false, positions > config.distance + 1),
    heads: headsOf(file, value),
    build: (graph, reader, options) =>
      buildModernBert(graph, new NamedWeights(reader, 'model.', 'embeddings.tok_embeddings.weight'), config, options),
  };
  return {
    value: encoder,
    refusals: [...refusals, ...global.refusals, ...local.refusals],
    warnings,
  };
}

async function buildModernBert(
  graph: GraphBuilder,
  weights: NamedWeights,
  config: ModernBertConfig,
  { linear, positions, tokenTypes }: BuildOptions,
): Promise<Hidden> {
  const { biased, heads } = config;
  const norm = async (name: string): Promise<Norm> => ({
    kind: 'layer',
    gamma: await weights.vector(`${name}.weight`),
    beta: biased.norm ? await weights.vector(`${name}.bias`) : null,
    epsilon: config.epsilon,
  });
  const words = await weights.tensor('embeddings.tok_embeddings.weight');
  const embedded = await addTokenEmbeddings(graph, { words, types: null }, tokenTypes);
  const first = await addNorm(graph, 'embeddings', embedded, await norm('embeddings.norm'));
  const sequences = addSequences(graph);
  const sizes = { size: config.hiddenSize / heads, positions };
  const global = { tables: await addRotaryTables(graph, 'global', sizes, config.rotations.global), window: null };
  const local = {
    tables: await addRotaryTables(graph, 'local', sizes, config.rotations.local),
    window: positions > config.distance + 1 ? addWindow(graph, 'window', sequences, config.distance) : null,
  };
  const last = config.local.length - 1;
  const hidden = await addPreNormLayers(
    graph,
    linear,
    // The first layer has no norm of its own: the embeddings have just been normalised.
    { sum: first, normed: first },
    sequences,
    config.local.length,
    async (index) => ({
      attention: { heads, keyHeads: heads, causal: false, ...(config.local[index] ? local : global) },
      weights: {
        packed: await weights.projection(`layers.${index}.attn.Wqkv`, biased.attention),
        output: await weights.projection(`layers.${index}.attn.Wo`, biased.attention),
        headNorms: null,
      },
      attended: null,
      beforeForward: await norm(`layers.${index}.mlp_norm`),
      forward: {
        wide: await weights.projection(`layers.${index}.mlp.Wi`, biased.forward),
        gate: 'first',
        narrow: await weights.projection(`layers.${index}.mlp.Wo`, biased.forward),
        activation: config.activation,
      },
      forwarded: null,
    }),
    (index) => norm(index === last ? 'final_norm' : `layers.${index + 1}.attn_norm`),
  );
  return { hidden, lengths: sequences.lengths };
}
