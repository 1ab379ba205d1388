import type { Provider } from '../provider.js';
import type { GraphInterface } from '../types.js';
import { poolingHead } from './heads/pooling.js';
import { addSelfAttention } from './layers/attention.js';
import { addEmbeddings } from './layers/embeddings.js';
import { floatLinear } from './layers/float-linear.js';
import { addSkipNorm } from './layers/norm.js';
import { inlineWeights } from './onnx/external-weights.js';
import { GraphBuilder } from './onnx/graph-builder.js';
import type { LinearWeights } from './weights/named-weights.js';

const [HIDDEN, HEADS, VOCABULARY, POSITIONS] = [32, 2, 64, 64];
const OUTPUT = 'embedding';

/** Ids that the probe's graph takes, from 0. */
export const PROBE_IDS = VOCABULARY;

/** Numbers within -1..1 that look random, the same in every process. */
function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(seed * 100 + i * 12.9898 + (i % 7) * 78.233));
}

/**
 * A small encoder of the kind that the compiler writes for a provider, to find out whether a device can run such
 * graphs: embeddings, attention, a norm after the residual connection, mean pooling. Its weights are made up.
 * @param half whether it computes in half precision
 */
export async function probeGraph(
  provider: Provider,
  half: boolean,
): Promise<{ readonly model: Uint8Array; readonly graph: GraphInterface }> {
  const graph = new GraphBuilder(inlineWeights, { half, provider });
  const norm = { gamma: new Float32Array(HIDDEN).fill(1), beta: numbers(HIDDEN, 1) };
  const table = (rows: number, seed: number) => ({ shape: [rows, HIDDEN], data: numbers(rows * HIDDEN, seed) });
  const linear = (seed: number): LinearWeights => ({
    matrix: { data: numbers(HIDDEN * HIDDEN, seed).map((x) => x / 4), inputs: HIDDEN, outputs: HIDDEN },
    bias: numbers(HIDDEN, seed + 1),
  });
  const embeddings = {
    words: table(VOCABULARY, 2),
    positions: table(POSITIONS, 3),
    types: null,
    norm,
    epsilon: 1e-6,
  };
  const { hidden, lengths } = await addEmbeddings(graph, embeddings, 'zero');
  const input = { input: hidden, lengths, heads: HEADS };
  const attended = await addSelfAttention(graph, floatLinear, 'attention', input, [linear(4), linear(6), linear(8)]);
  const mixed = await floatLinear.product(graph, 'mix', attended, 'attention', linear(10));
  const normed = await addSkipNorm(graph, 'normed', mixed, hidden, norm, 1e-6);
  graph.cast(OUTPUT, await poolingHead('mean').build(graph, 'pooling', normed), 'float');
  const model = graph.finish([{ name: OUTPUT, type: 'float', dims: ['rows', HIDDEN] }]);
  return { model, graph: { inputs: graph.inputs, output: OUTPUT, width: HIDDEN } };
}
