import { BootError } from '#contracts';
import { z } from 'zod';
import { readClosed, type JsonFile, type Reading } from '../../config/closed-file.js';
import { readRope, ropeMembers, type ScalingKind } from '../../config/rope.js';
import { encoderConfig } from '../../config/transformers.js';
import type { HeadParts } from '../heads/parts.js';
import { groupedAttention } from '../layers/attention-memory.js';
import type { Hidden } from '../layers/embeddings.js';
import { addWindow } from '../layers/grouped-attention.js';
import { addPreNormLayers } from '../layers/pre-norm-layers.js';
import { addNorm, type Norm } from '../layers/residual.js';
import { addRotaryTables, type Rotation } from '../layers/rotary.js';
import { addSequences, addTokenEmbeddings } from '../layers/token-embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { USUAL_TOKENS } from '../../served-tokens.js';
import { NamedWeights, sideBySide } from '../weights/named-weights.js';
import type { BuildOptions, Encoder } from './architecture.js';

/** The differences between encoders with Llama's layers. */
export interface LlamaVariant {
  /** Whether queries, keys and values have biases, and whether the output does; `config`: all if `attention_bias`. */
  readonly biases: 'config' | { readonly input: boolean; readonly output: boolean };
  /** Whether each head's queries and keys are normalised before they are turned. */
  readonly headNorms: boolean;
  /** Whether a token attends only to the tokens before it, unless `config.json` says otherwise. */
  readonly causal: boolean;
  readonly scalings: readonly ScalingKind[];
  /** `always`: `sliding_window` counts if it is set; `never`: only models that do not use it are compiled. */
  readonly window: 'always' | 'never';
  readonly theta: number;
  readonly epsilon: number;
  readonly padTokenId: number;
  /** Whether code beside the checkpoint is known to be this architecture. */
  readonly ownCode: boolean;
  readonly harmless: readonly string[];
}

const used = {
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  rms_norm_eps: z.number().positive().optional(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  sliding_window: z.int().positive().nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
  is_causal: z.boolean().nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  ...ropeMembers,
};

function membersOf({ harmless, ownCode, window, biases }: LlamaVariant) {
  return encoderConfig({
    used,
    only: {
      hidden_act: ['silu'],
      // Models of these families that bring code of their own differ, most of them in what a token attends to.
      ...(ownCode ? {} : { auto_map: [{}] }),
      ...(window === 'never' ? { use_sliding_window: [false] } : {}),
      // Their other projections have none in any version.
      ...(biases === 'config' ? {} : { attention_bias: [false], mlp_bias: [false] }),
    },
    harmless: [
      'intermediate_size',
      'attention_dropout',
      'pretraining_tp',
      // Read only with use_sliding_window.
      'max_window_layers',
      ...(ownCode ? ['auto_map'] : []),
      ...harmless,
    ],
  });
}

interface LlamaConfig {
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly size: number;
  readonly epsilon: number;
  readonly biased: { readonly input: boolean; readonly output: boolean; readonly forward: boolean };
  readonly headNorms: boolean;
  readonly causal: boolean;
  /** Largest distance of a token that another one attends to; null when all are attended to. */
  readonly distance: number | null;
  readonly rotation: Rotation;
}

/** Reads `config.json` of Llama and its relatives: RMS norms before each branch, SiLU gates, grouped heads. */
export function readLlamaLike(file: JsonFile, variant: LlamaVariant): Reading<Encoder> {
  const known = membersOf(variant);
  const { value, refusals, warnings } = readClosed(file, {
    ...known,
    used: { ...known.used, layer_types: layerTypes },
  });
  const positions = value.max_position_embeddings ?? 8192;
  const rope = readRope(file, value, { theta: variant.theta, kinds: variant.scalings });
  const more = [...rope.refusals];
  const causal = variant.causal && value.use_bidirectional_attention !== true && value.is_causal !== false;
  const window = variant.window === 'always' ? (value.sliding_window ?? null) : null;
  const distance = window !== null && window < positions ? window - 1 : null;
  const mixed = value.layer_types?.find((type) => type !== 'full_attention' && variant.window === 'never');
  if (mixed !== undefined) more.push(`${file.path}: layer_types has ${mixed}; Embedmill runs full_attention only`);
  const windowed = `${file.path}: sliding_window is ${window}; Embedmill runs it only in causal models of this family`;
  // A window no smaller than what is served makes no difference.
  if (distance !== null && !causal && distance + 1 < USUAL_TOKENS) more.push(windowed);
  const biases = variant.biases === 'config' ? bothIf(value.attention_bias) : variant.biases;
  const config: LlamaConfig = {
    layers: value.num_hidden_layers,
    heads: value.num_attention_heads,
    keyHeads: value.num_key_value_heads ?? value.num_attention_heads,
    size: value.head_dim ?? value.hidden_size / value.num_attention_heads,
    epsilon: value.rms_norm_eps ?? variant.epsilon,
    biased: { ...biases, forward: value.mlp_bias },
    headNorms: variant.headNorms,
    causal,
    distance,
    rotation: rope.rotation,
  };
  const encoder: Encoder = {
    hiddenSize: value.hidden_size,
    positions,
    firstPosition: 0,
    padTokenId: value.pad_token_id ?? variant.padTokenId,
    attention: groupedAttention(config.heads, causal, distance !== null),
    noHalf: 'sums of its layers may be larger than half precision can hold',
    // EuroBERT, which is not causal, has heads of its own.
    ...(variant.causal ? { heads: headsOf(value.pad_token_id ?? null, value.tie_word_embeddings ?? false) } : {}),
    build(graph, reader, options) {
      if (distance !== null && !causal && distance + 1 < options.positions) throw new BootError(windowed);
      return buildLlamaLike(graph, new NamedWeights(reader, 'model.', 'embed_tokens.weight'), config, options);
    },
  };
  return { value: encoder, refusals: [...refusals, ...more], warnings };
}

function headsOf(padTokenId: number | null, tied: boolean): HeadParts {
  return {
    classifier: {
      pooling: 'last',
      padTokenId,
      dense: null,
      norm: null,
      output: { names: ['score'], biased: false },
    },
    nextToken: { matrix: tied ? ['model.embed_tokens.weight', 'embed_tokens.weight'] : ['lm_head.weight'] },
  };
}

/** Since transformers 4.53; older files have `use_sliding_window` alone. */
const layerTypes = z.array(z.string()).nullish();

function bothIf(biased: boolean): { input: boolean; output: boolean } {
  return { input: biased, output: biased };
}

async function buildLlamaLike(
  graph: GraphBuilder,
  weights: NamedWeights,
  config: LlamaConfig,
  { linear, positions, tokenTypes }: BuildOptions,
): Promise<Hidden> {
  const { heads, keyHeads, causal, biased, distance } = config;
  const norm = async (name: string): Promise<Norm> => ({
    kind: 'rms',
    gamma: await weights.vector(`${name}.weight`),
    beta: null,
    epsilon: config.epsilon,
  });
  const words = await weights.tensor('embed_tokens.weight');
  const embedded = await addTokenEmbeddings(graph, { words, types: null }, tokenTypes);
  const first = await addNorm(graph, 'layer0.input', embedded, await norm('layers.0.input_layernorm'));
  const sequences = addSequences(graph);
  const attention = {
    heads,
    keyHeads,
    causal,
    tables: await addRotaryTables(graph, 'rotary', { size: config.size, positions }, config.rotation),
    window: distance === null || positions <= distance + 1 ? null : addWindow(graph, 'window', sequences, distance),
  };
  const hidden = await addPreNormLayers(
    graph,
    linear,
    { sum: embedded, normed: first },
    sequences,
    config.layers,
    async (index) => {
      const from = `layers.${index}`;
      const inputs = await Promise.all(
        ['q', 'k', 'v'].map((part) => weights.projection(`${from}.self_attn.${part}_proj`, biased.input)),
      );
      const wide = await Promise.all(
        ['gate', 'up'].map((part) => weights.projection(`${from}.mlp.${part}_proj`, biased.forward)),
      );
      const headNorms = config.headNorms
        ? { query: await norm(`${from}.self_attn.q_norm`), key: await norm(`${from}.self_attn.k_norm`) }
        : null;
      return {
        attention,
        weights: {
          packed: sideBySide(inputs),
          output: await weights.projection(`${from}.self_attn.o_proj`, biased.output),
          headNorms,
        },
        attended: null,
        beforeForward: await norm(`${from}.post_attention_layernorm`),
        forward: {
          wide: sideBySide(wide),
          gate: 'first',
          narrow: await weights.projection(`${from}.mlp.down_proj`, biased.forward),
          activation: 'silu',
        },
        forwarded: null,
      };
    },
    (index) => norm(index === config.layers - 1 ? 'norm' : `layers.${index + 1}.input_layernorm`),
  );
  return { hidden, lengths: sequences.lengths };
}
