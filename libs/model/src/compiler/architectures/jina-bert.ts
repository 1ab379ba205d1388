import { z } from 'zod';
import { readClosed } from '../../config/closed-file.js';
import { encoderConfig } from '../../config/transformers.js';
import { addProjectedAttention, addSelfAttention, type SelfAttention } from '../layers/attention.js';
import { squareAttention } from '../layers/attention-memory.js';
import { addBias } from '../layers/bias.js';
import { addDistanceBias } from '../layers/distance-bias.js';
import { addEmbeddings } from '../layers/embeddings.js';
import { addGatedFeedForward } from '../layers/gated-feed-forward.js';
import type { Linear } from '../layers/linear.js';
import { addNorm, addSkipNorm } from '../layers/norm.js';
import { bertLayerNames } from '../layers/post-norm-layer.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture } from './architecture.js';
import { bertMembers } from './bert.js';

const members = encoderConfig({
  used: { ...bertMembers.used, auto_map: z.record(z.string(), z.string()).default({}) },
  only: { hidden_act: ['gelu'], feed_forward_type: ['geglu'] },
  // The pooling of its own code; sentence-transformers has the modules' one.
  harmless: [...bertMembers.harmless, 'emb_pooler', 'model_max_length'],
});

/** Where the tables of distances end if `config.json` does not say it. */
const POSITIONS = 8192;

/**
 * JinaBERT v2: Günther et al. 2023. Positions are linear biases of the scores (ALiBi, in both directions), and the
 * feed-forward layer is gated. The models for code have norms of queries and keys, and other names.
 */
export const jinaBert: Architecture = {
  name: 'jina-bert',
  modelTypes: ['bert'],
  positionTypes: ['alibi'],
  read(file) {
    const { value, refusals, warnings } = readClosed(file, members);
    const foreign = Object.values(value.auto_map).find((code) => !/JinaBert/.test(code));
    const heads = value.num_attention_heads;
    const positions = value.max_position_embeddings ?? POSITIONS;
    const epsilon = value.layer_norm_eps;
    return {
      refusals:
        foreign === undefined
          ? refusals
          : [...refusals, `${file.path}: auto_map has "${foreign}"; with alibi, Embedmill knows only JinaBERT's code`],
      warnings,
      value: {
        hiddenSize: value.hidden_size,
        positions,
        firstPosition: 0,
        padTokenId: value.pad_token_id ?? 0,
        attention: squareAttention(heads, true),
        async build(graph, reader, { linear, tokenTypes }) {
          const weights = new NamedWeights(reader, 'bert.', 'embeddings.word_embeddings.weight');
          const types = 'embeddings.token_type_embeddings.weight';
          const embeddings = {
            words: await weights.tensor('embeddings.word_embeddings.weight'),
            positions: null,
            types: weights.has(types) ? await weights.tensor(types) : null,
            norm: await weights.norm('embeddings.LayerNorm'),
            epsilon,
          };
          const embedded = await addEmbeddings(graph, embeddings, tokenTypes);
          const { lengths } = embedded;
          let { hidden } = embedded;
          const slopes = slopesOf(heads);
          const scoreBias = await addDistanceBias(graph, 'distances', {
            heads,
            positions,
            at: (head, distance) => -slopes[head]! * Math.abs(distance),
          });
          const ofCode = weights.has('encoder.layer.0.mlp.up_gated_layer.weight');
          const addLayer = ofCode ? addCodeLayer : addTextLayer;
          for (let index = 0; index < value.num_hidden_layers; index++) {
            const input = { input: hidden, lengths, heads, scoreBias };
            hidden = await addLayer({ graph, linear, weights, epsilon }, index, input);
          }
          return { hidden, lengths };
        },
      },
    };
  },
};

/** Geometric from 2^(-8/heads); if heads is no power of two, every second one for twice the next lower power follows. */
function slopesOf(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const slopes = Array.from({ length: power }, (_, i) => 2 ** ((-8 * (i + 1)) / power));
  const more = Array.from({ length: heads - power }, (_, i) => 2 ** ((-8 * (2 * i + 1)) / (2 * power)));
  return [...slopes, ...more];
}

interface Place {
  readonly graph: GraphBuilder;
  readonly linear: Linear;
  readonly weights: NamedWeights;
  readonly epsilon: number;
}

async function addTextLayer(place: Place, index: number, input: SelfAttention): Promise<string> {
  const { epsilon, graph, linear, weights } = place;
  const at = `layer${index}`;
  const names = bertLayerNames(index);
  const projections = await Promise.all([names.query, names.key, names.value].map((name) => weights.linear(name)));
  const attention = await addSelfAttention(graph, linear, `${at}.attention`, input, projections);
  const attended = await addMix(place, index, attention, input.input);
  const mlp = `encoder.layer.${index}.mlp`;
  const forward = await addGatedFeedForward(graph, linear, at, attended, {
    wide: await weights.projection(`${mlp}.gated_layers`, false),
    gate: 'first',
    narrow: await weights.linear(`${mlp}.wo`),
    activation: 'erf',
  });
  return addSkipNorm(graph, `${at}.output`, forward, attended, await weights.norm(`${mlp}.layernorm`), epsilon);
}

/** Queries and keys are normalised over all heads; the norm after attention is followed by a second one. */
async function addCodeLayer(place: Place, index: number, input: SelfAttention): Promise<string> {
  const { epsilon, graph, linear, weights } = place;
  const at = `layer${index}`;
  const from = `encoder.layer.${index}`;
  const names = bertLayerNames(index);
  const project = async (part: 'query' | 'key' | 'value'): Promise<string> => {
    const name = `${at}.attention.${part}`;
    const product = await linear.product(graph, name, input.input, 'norm', await weights.linear(names[part]));
    return addBias(graph, name, product);
  };
  const normed = async (part: 'query' | 'key', norm: string): Promise<string> => {
    const weightsOfNorm = await weights.norm(`${from}.attention.self.${norm}`);
    return addNorm(graph, `${at}.attention.${norm}`, await project(part), weightsOfNorm, epsilon);
  };
  const parts = [
    await normed('query', 'layer_norm_q'),
    await normed('key', 'layer_norm_k'),
    await project('value'),
  ] as const;
  const { gamma } = await weights.norm(`${from}.attention.self.layer_norm_q`);
  const attention = addProjectedAttention(graph, `${at}.attention`, input, parts, gamma.length / input.heads);
  const mixed = await addMix(place, index, attention, input.input);
  const skipped = { value: mixed, bias: null };
  const second = await weights.norm(`${from}.layer_norm_1`);
  const attended = await addSkipNorm(graph, `${at}.again`, skipped, input.input, second, epsilon);
  const forward = await addGatedFeedForward(graph, linear, at, attended, {
    wide: await weights.projection(`${from}.mlp.up_gated_layer`, false),
    gate: 'second',
    narrow: await weights.linear(`${from}.mlp.down_layer`),
    activation: 'erf',
  });
  return addSkipNorm(graph, `${at}.output`, forward, attended, await weights.norm(`${from}.layer_norm_2`), epsilon);
}

/** The linear layer after attention, its residual connection, and a norm. */
async function addMix(
  { epsilon, graph, linear, weights }: Place,
  index: number,
  attention: string,
  skip: string,
): Promise<string> {
  const { attendedNorm, mix } = bertLayerNames(index);
  const mixed = await linear.product(graph, `layer${index}.mix`, attention, 'attention', await weights.linear(mix));
  return addSkipNorm(graph, `layer${index}.attended`, mixed, skip, await weights.norm(attendedNorm), epsilon);
}
