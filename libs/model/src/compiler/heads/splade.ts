import { addBias } from '../layers/bias.js';
import type { Product } from '../layers/linear.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { addHeadActivation, addHeadLinear, addHeadNorm, nameOf, readTensor } from './head-weights.js';
import type { Checkpoint, CheckpointHead } from './head.js';
import type { MaskedLmParts } from './parts.js';

/** What SPLADE makes of a masked language model's scores, by the names of sentence-transformers. */
export interface SpladePooling {
  /** Over the tokens of the text. */
  readonly strategy: 'max' | 'sum';
  /** `relu`: `log(1 + max(x, 0))`; `log1p_relu`: that logarithm of it once more. */
  readonly activation: 'relu' | 'log1p_relu';
}

const TOKENS = 1;

/** SPLADE: a weight for each word of the vocabulary, of which most are 0: `[rows, vocabulary]`. */
export function spladeHead(
  parts: MaskedLmParts,
  vocabulary: number,
  { activation, strategy }: SpladePooling,
): CheckpointHead {
  const logarithms = activation === 'relu' ? 1 : 2;
  return {
    name: `splade ${strategy} ${activation} ${vocabulary}`,
    sources: [],
    tokenTypes: 'zero',
    width: () => vocabulary,
    async build(graph, at, hidden, checkpoint) {
      const mask = graph.input('attention_mask');
      const states = strategy === 'max' ? addFirstAsPadding(graph, at, hidden, mask) : hidden;
      const scores = await addScores(graph, at, states, parts, vocabulary, checkpoint);
      if (strategy === 'max') {
        // Bias and logarithms do not change which score is the largest.
        const value = graph.along(TOKENS, 'ReduceMax', `${at}.largest`, scores.value, { keepdims: 0 });
        return addLogarithms(graph, at, addBias(graph, `${at}.largest`, { ...scores, value }), logarithms);
      }
      const weighed = addLogarithms(graph, at, addBias(graph, `${at}.scores`, scores), logarithms);
      const row = graph.along(TOKENS, 'Unsqueeze', `${at}.row`, graph.cast(`${at}.mask`, mask, 'float'));
      return graph.along(TOKENS, 'Squeeze', `${at}.rows`, graph.node('MatMul', `${at}.sums`, [row, weighed]));
    },
  };
}

/** Hidden states in which padding repeats the first token, which adds nothing to a maximum. */
function addFirstAsPadding(graph: GraphBuilder, at: string, hidden: string, mask: string): string {
  const range = [graph.integers(`${at}.start`, [0]), graph.integers(`${at}.end`, [1])];
  const first = graph.node('Slice', `${at}.first`, [hidden, ...range, graph.integers(`${at}.axis`, [TOKENS])]);
  const real = graph.along(2, 'Unsqueeze', `${at}.real`, graph.cast(`${at}.bool`, mask, 'bool'));
  return graph.node('Where', `${at}.states`, [real, hidden, first]);
}

/** The masked language model's scores `[rows, tokens, vocabulary]`, by far the largest value of the graph. */
async function addScores(
  graph: GraphBuilder,
  at: string,
  states: string,
  { activation, biases, dense, matrix, norm, tied }: MaskedLmParts,
  vocabulary: number,
  { weights, words }: Checkpoint,
): Promise<Product> {
  const product = await addHeadLinear(graph, `${at}.dense`, states, weights, dense);
  const active = addHeadActivation(graph, `${at}.active`, product, activation);
  const normed = await addHeadNorm(graph, `${at}.norm`, active, weights, norm);
  let table = tied ? words : null;
  if (table === null) {
    const { data, shape } = await readTensor(weights, nameOf(weights, matrix), [vocabulary, null]);
    table = await graph.weight(`${at}.matrix`, shape, data);
  }
  const value = graph.fused('FusedMatMul', `${at}.scores`, [normed, table], { transB: 1 });
  if (biases.length === 0) return { value, bias: null };
  const { data } = await readTensor(weights, nameOf(weights, biases), [vocabulary]);
  return { value, bias: await graph.weight(`${at}.bias`, [vocabulary], data) };
}

/** `log(1 + max(x, 0))`, once or twice, as float: a half has too few digits for 1 and a small number. */
function addLogarithms(graph: GraphBuilder, at: string, scores: string, times: number): string {
  let weights = graph.cast(`${at}.positive`, graph.node('Relu', `${at}.relu`, [scores]), 'float');
  const one = graph.cast(`${at}.one`, graph.integers(`${at}.one64`, [1]), 'float');
  for (let n = 0; n < times; n++) {
    weights = graph.node('Log', `${at}.log${n}`, [graph.node('Add', `${at}.plus${n}`, [weights, one])]);
  }
  return weights;
}
