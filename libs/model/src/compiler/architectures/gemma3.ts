import { z } from 'zod';
import { readClosed, type JsonFile, type Reading } from '../../config/closed-file.js';
import { readRope, ropeMembers } from '../../config/rope.js';
import { encoderConfig } from '../../config/transformers.js';
import { groupedAttention } from '../layers/attention-memory.js';
import type { Hidden } from '../layers/embeddings.js';
import { addWindow } from '../layers/grouped-attention.js';
import { addPreNormLayers } from '../layers/pre-norm-layers.js';
import { addNorm, type Norm } from '../layers/residual.js';
import { addRotaryTables, type Rotation } from '../layers/rotary.js';
import { addSequences, addTokenEmbeddings } from '../layers/token-embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { NamedWeights, sideBySide } from '../weights/named-weights.js';
import type { Architecture, BuildOptions, Encoder } from './architecture.js';

/** Gemma 3's text model, the encoder of EmbeddingGemma: transformers' `models/gemma3`. */
export const gemma3: Architecture = {
  name: 'gemma3',
  modelTypes: ['gemma3_text'],
  positionTypes: ['absolute'],
  read: readGemma3,
};

/** The name under which transformers saves `sliding_window_pattern`. */
const SAVED_PATTERN = '_sliding_window_pattern';

const members = encoderConfig({
  used: {
    num_hidden_layers: z.int().positive(),
    num_attention_heads: z.int().positive(),
    num_key_value_heads: z.int().positive().default(4),
    head_dim: z.int().positive().default(256),
    rms_norm_eps: z.number().positive().default(1e-6),
    query_pre_attn_scalar: z.number().positive().default(256),
    sliding_window: z.int().positive().default(4096),
    sliding_window_pattern: z.int().positive().optional(),
    [SAVED_PATTERN]: z.int().positive().optional(),
    layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
    use_bidirectional_attention: z.boolean().nullish(),
    rope_local_base_freq: z.number().positive().nullish(),
    ...ropeMembers,
  },
  only: {
    hidden_activation: ['gelu_pytorch_tanh'],
    hidden_act: ['gelu_pytorch_tanh'],
    attention_bias: [false],
    attn_logit_softcapping: [null],
  },
  harmless: [
    'intermediate_size',
    'attention_dropout',
    'cache_implementation',
    // Of the language model's head.
    'final_logit_softcapping',
  ],
});

interface Gemma3Config {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly size: number;
  readonly epsilon: number;
  readonly scale: number;
  readonly causal: boolean;
  /** Whether each layer attends only to a window. */
  readonly local: readonly boolean[];
  /** Largest distance of a token in the window. */
  readonly distance: number;
  readonly rotations: { readonly global: Rotation; readonly local: Rotation };
}

function readGemma3(file: JsonFile): Reading<Encoder> {
  const { value, refusals, warnings } = readClosed(file, members);
  const positions = value.max_position_embeddings ?? 131_072;
  const { rope_theta, rope_scaling, rope_parameters, rope_local_base_freq, [SAVED_PATTERN]: saved } = value;
  const global = readRope(
    file,
    { rope_theta, rope_scaling, rope_parameters },
    { theta: 1_000_000, kinds: [], part: 'full_attention' },
  );
  const local = readRope(
    file,
    { rope_theta: rope_local_base_freq, rope_parameters },
    { theta: 10_000, kinds: [], part: 'sliding_attention' },
  );
  const pattern = value.sliding_window_pattern ?? saved ?? 6;
  const causal = value.use_bidirectional_attention !== true;
  const config: Gemma3Config = {
    hiddenSize: value.hidden_size,
    layers: value.num_hidden_layers,
    heads: value.num_attention_heads,
    keyHeads: value.num_key_value_heads,
    size: value.head_dim,
    epsilon: value.rms_norm_eps,
    scale: value.query_pre_attn_scalar ** -0.5,
    causal,
    local: Array.from({ length: value.num_hidden_layers }, (_, index) =>
      value.layer_types ? value.layer_types[index] === 'sliding_attention' : (index + 1) % pattern > 0,
    ),
    // Without the causal mask, the same number of tokens lies on both sides.
    distance: causal ? value.sliding_window - 1 : Math.floor(value.sliding_window / 2),
    rotations: { global: global.rotation, local: local.rotation },
  };
  const encoder: Encoder = {
    hiddenSize: value.hidden_size,
    positions,
    firstPosition: 0,
    padTokenId: value.pad_token_id ?? 0,
    attention: groupedAttention(value.num_attention_heads, causal, positions > config.distance + 1),
    noHalf: 'Gemma was trained in bfloat16, and its activations are larger than half precision can hold',
    build: (graph, reader, options) =>
      buildGemma3(graph, new NamedWeights(reader, 'model.', 'embed_tokens.weight'), config, options),
  };
  return {
    value: encoder,
    refusals: [...refusals, ...global.refusals, ...local.refusals],
    warnings,
  };
}

async function buildGemma3(
  graph: GraphBuilder,
  weights: NamedWeights,
  config: Gemma3Config,
  { linear, positions, tokenTypes }: BuildOptions,
): Promise<Hidden> {
  const { heads, keyHeads, causal, scale, distance } = config;
  // The checkpoint has the difference from 1.
  const norm = async (name: string): Promise<Norm> => ({
    kind: 'rms',
    gamma: (await weights.vector(`${name}.weight`)).map((difference) => 1 + difference),
    beta: null,
    epsilon: config.epsilon,
  });
  const words = await weights.tensor('embed_tokens.weight');
  scaleInPlace(words.data, Math.sqrt(config.hiddenSize));
  const embedded = await addTokenEmbeddings(graph, { words, types: null }, tokenTypes);
  const first = await addNorm(graph, 'layer0.input', embedded, await norm('layers.0.input_layernorm'));
  const sequences = addSequences(graph);
  const all = { heads, keyHeads, causal, scale };
  const sizes = { size: config.size, positions };
  const global = {
    ...all,
    tables: await addRotaryTables(graph, 'global', sizes, config.rotations.global),
    window: null,
  };
  const local = {
    ...all,
    tables: await addRotaryTables(graph, 'local', sizes, config.rotations.local),
    window: positions > distance + 1 ? addWindow(graph, 'window', sequences, distance) : null,
  };
  const hidden = await addPreNormLayers(
    graph,
    linear,
    { sum: embedded, normed: first },
    sequences,
    config.layers,
    async (index) => {
      const from = `layers.${index}`;
      const inputs = ['q', 'k', 'v'].map((part) => weights.projection(`${from}.self_attn.${part}_proj`, false));
      const wide = ['gate', 'up'].map((part) => weights.projection(`${from}.mlp.${part}_proj`, false));
      return {
        attention: config.local[index] ? local : global,
        weights: {
          packed: sideBySide(await Promise.all(inputs)),
          output: await weights.projection(`${from}.self_attn.o_proj`, false),
          headNorms: { query: await norm(`${from}.self_attn.q_norm`), key: await norm(`${from}.self_attn.k_norm`) },
        },
        attended: await norm(`${from}.post_attention_layernorm`),
        beforeForward: await norm(`${from}.pre_feedforward_layernorm`),
        forward: {
          wide: sideBySide(await Promise.all(wide)),
          gate: 'first',
          narrow: await weights.projection(`${from}.mlp.down_proj`, false),
          activation: 'tanh',
        },
        forwarded: await norm(`${from}.post_feedforward_layernorm`),
      };
    },
    (index) => norm(index === config.layers - 1 ? 'norm' : `layers.${index + 1}.input_layernorm`),
  );
  return { hidden, lengths: sequences.lengths };
}

/** A vocabulary is too large for a copy. */
function scaleInPlace(values: Float32Array, factor: number): void {
  for (let at = 0; at < values.length; at++) values[at]! *= factor;
}
