import { z } from 'zod';
import { readClosed, type JsonFile, type Reading } from '../../config/closed-file.js';
import { readRope, ropeMembers } from '../../config/rope.js';
import { encoderConfig } from '../../config/transformers.js';
import { groupedAttention } from '../layers/attention-memory.js';
import type { Hidden } from '../layers/embeddings.js';
import { type GateActivation, gatedForward } from '../layers/gated-feed-forward.js';
import { addPostNormLayers } from '../layers/post-norm-layers.js';
import { addNorm } from '../layers/residual.js';
import { addRotaryTables, type Rotation } from '../layers/rotary.js';
import { addSequences, addTokenEmbeddings } from '../layers/token-embeddings.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { NamedWeights, sideBySide, type Projection } from '../weights/named-weights.js';
import type { Architecture, BuildOptions, Encoder } from './architecture.js';

/** The encoder of GTE v1.5, gte-multilingual, Arctic-m v2 and Stella: Zhang et al. 2024, and the code beside them. */
export const gte: Architecture = {
  name: 'gte',
  modelTypes: ['new', 'gte'],
  // What transformers itself saves, of the type `gte`, does not name the type of its positions.
  positionTypes: ['rope', 'absolute'],
  read: readGte,
};

const ACTIVATIONS: Readonly<Record<string, GateActivation>> = { gelu: 'erf', gelu_pytorch_tanh: 'tanh', silu: 'silu' };

const members = encoderConfig({
  used: {
    num_hidden_layers: z.int().positive(),
    num_attention_heads: z.int().positive(),
    hidden_act: z.string().default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-12),
    type_vocab_size: z.int().nonnegative().default(1),
    ...ropeMembers,
  },
  only: {
    hidden_act: Object.keys(ACTIVATIONS),
    layer_norm_type: ['layer_norm'],
    // Scores that grow with the logarithm of the text's length.
    logn_attention_scale: [false],
    logn_attention_clip1: [false],
  },
  harmless: [
    'auto_map',
    'intermediate_size',
    'hidden_dropout_prob',
    'attention_probs_dropout_prob',
    'classifier_dropout',
    // How the original code computes the same; the tensors' names say whether projections are packed.
    'pack_qkv',
    'unpad_inputs',
    'use_memory_efficient_attention',
  ],
});

interface GteConfig {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: GateActivation;
  readonly epsilon: number;
  readonly typed: boolean;
  readonly rotation: Rotation;
}

function readGte(file: JsonFile): Reading<Encoder> {
  const { value, refusals, warnings } = readClosed(file, members);
  const rope = readRope(file, value, { theta: 10_000, kinds: ['ntk'] });
  const config: GteConfig = {
    hiddenSize: value.hidden_size,
    layers: value.num_hidden_layers,
    heads: value.num_attention_heads,
    activation: ACTIVATIONS[value.hidden_act] ?? 'erf',
    epsilon: value.layer_norm_eps,
    typed: value.type_vocab_size > 0,
    rotation: rope.rotation,
  };
  const encoder: Encoder = {
    hiddenSize: value.hidden_size,
    positions: value.max_position_embeddings ?? 2048,
    firstPosition: 0,
    padTokenId: value.pad_token_id ?? 0,
    attention: groupedAttention(value.num_attention_heads, false, false),
    heads: {
      classifier: {
        pooling: 'cls',
        padTokenId: null,
        dense: { names: ['new.pooler.dense'], biased: true, activation: 'tangent', optional: true },
        norm: null,
        output: { names: ['classifier'], biased: true },
      },
    },
    build: (graph, reader, options) =>
      buildGte(graph, new NamedWeights(reader, 'new.', 'embeddings.word_embeddings.weight'), config, options),
  };
  const positions = value.position_embedding_type ?? 'absolute';
  const other =
    value.model_type === 'gte' || positions === 'rope'
      ? []
      : [`${file.path}: position_embedding_type is "${positions}"; Embedmill runs "rope" only`];
  return { value: encoder, refusals: [...refusals, ...other, ...rope.refusals], warnings };
}

async function buildGte(
  graph: GraphBuilder,
  weights: NamedWeights,
  config: GteConfig,
  { linear, positions, tokenTypes }: BuildOptions,
): Promise<Hidden> {
  const { heads, epsilon } = config;
  const words = await weights.tensor('embeddings.word_embeddings.weight');
  const types = config.typed ? await weights.tensor('embeddings.token_type_embeddings.weight') : null;
  const embedded = await addTokenEmbeddings(graph, { words, types }, tokenTypes);
  const norm = { kind: 'layer', ...(await weights.norm('embeddings.LayerNorm')), epsilon } as const;
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
    const from = `encoder.layer.${index}`;
    return {
      weights: {
        packed: await packedInputs(weights, `${from}.attention`),
        output: await weights.projection(`${from}.attention.o_proj`, true),
        headNorms: null,
      },
      attended: await weights.norm(`${from}.attn_ln`),
      forward: gatedForward({
        wide: await weights.projection(`${from}.mlp.up_gate_proj`, false),
        gate: 'second',
        narrow: await weights.projection(`${from}.mlp.down_proj`, true),
        activation: config.activation,
      }),
      output: await weights.norm(`${from}.mlp_ln`),
    };
  });
  return { hidden, lengths: sequences.lengths };
}

async function packedInputs(weights: NamedWeights, from: string): Promise<Projection> {
  if (weights.has(`${from}.qkv_proj.weight`)) return weights.projection(`${from}.qkv_proj`, true);
  const parts = ['q', 'k', 'v'].map((part) => weights.projection(`${from}.${part}_proj`, true));
  return sideBySide(await Promise.all(parts));
}
