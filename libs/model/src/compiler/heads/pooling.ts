import { type Pooling, type PoolingMode, poolingModeSchema } from '#contracts';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Head } from './head.js';
import { ALL_TOKENS, numbersOf, type PooledTokens, promptOf, TEXT_TOKENS } from './pooled-tokens.js';

/**
 * Pools hidden states over the tokens that are not padding. Several modes give their vectors one after the other.
 * @param includePrompt whether the tokens of the prompt count; if not, the graph takes `prompt_tokens`
 */
export function poolingHead(pooling: Pooling, includePrompt = true): Head {
  const modes = poolingModes(pooling);
  const [tokens, builders] = includePrompt
    ? [ALL_TOKENS, BUILDERS]
    : [TEXT_TOKENS, { ...BUILDERS, cls: addFirstOfText, mean: addMeanOfText }];
  return {
    name: includePrompt ? pooling : `${pooling} without prompt`,
    sources: [],
    tokenTypes: 'zero',
    width: (hiddenSize) => modes.length * hiddenSize,
    build(graph, at, hidden) {
      if (modes.length === 1) return builders[modes[0]!](graph, at, hidden, tokens);
      const parts = modes.map((mode, n) => builders[mode](graph, `${at}.${n}`, hidden, tokens));
      return graph.node('Concat', `${at}.all`, parts, { axis: 1 });
    },
  };
}

/** The modes of a pooling, in the order of their vectors. */
export function poolingModes(pooling: Pooling): PoolingMode[] {
  return pooling.split('+').map((mode) => poolingModeSchema.parse(mode));
}

const TOKENS = 1;

type AddMode = (graph: GraphBuilder, at: string, hidden: string, tokens: PooledTokens) => string;

const BUILDERS: Record<PoolingMode, AddMode> = {
  cls: addFirst,
  max: addLargest,
  mean: addMean,
  mean_sqrt_len_tokens: addScaledSum,
  weightedmean: addWeightedMean,
  lasttoken: addLast,
};

function addFirst(graph: GraphBuilder, at: string, hidden: string): string {
  const range = [graph.integers(`${at}.start`, [0]), graph.integers(`${at}.end`, [1])];
  const axis = graph.integers(`${at}.axis`, [TOKENS]);
  const first = graph.node('Slice', `${at}.first`, [hidden, ...range, axis]);
  return graph.along(TOKENS, 'Squeeze', `${at}.rows`, first);
}

/** The first token after the prompt, as a sum in which only it has a weight. */
function addFirstOfText(graph: GraphBuilder, at: string, hidden: string): string {
  const before = graph.node('Sub', `${at}.before`, [numbersOf(graph, at), graph.scalar(`${at}.one`, 1, 'float')]);
  const first = graph.node('Equal', `${at}.first`, [before, promptOf(graph, at)]);
  return addWeightedSum(graph, at, hidden, graph.cast(`${at}.shares`, first, 'float'));
}

/** The product `[rows, 1, tokens] x [rows, tokens, hidden]` sums without a masked copy of all hidden states. */
function addMean(graph: GraphBuilder, at: string, hidden: string): string {
  const mask = graph.cast(`${at}.mask`, graph.input('attention_mask'), graph.floatType);
  const row = graph.along(TOKENS, 'Unsqueeze', `${at}.row`, mask);
  const sums = graph.node('MatMul', `${at}.sums`, [row, hidden]);
  const sum = graph.along(TOKENS, 'Squeeze', `${at}.sum`, sums);
  const count = graph.along(TOKENS, 'ReduceSum', `${at}.count`, mask, { keepdims: 1 });
  return graph.node('Div', `${at}.rows`, [sum, count]);
}

function addMeanOfText(graph: GraphBuilder, at: string, hidden: string, tokens: PooledTokens): string {
  const mask = tokens.addMask(graph, at);
  const shares = graph.node('Div', `${at}.shares`, [mask, tokens.addCount(graph, at, mask)]);
  return addWeightedSum(graph, at, hidden, shares);
}

function addLargest(graph: GraphBuilder, at: string, hidden: string, tokens: PooledTokens): string {
  const mask = graph.cast(`${at}.bool`, tokens.addMask(graph, at), 'bool');
  const real = graph.along(2, 'Unsqueeze', `${at}.real`, mask);
  // The lowest finite number of half precision.
  const masked = graph.node('Where', `${at}.masked`, [real, hidden, graph.scalar(`${at}.lowest`, -65_504)]);
  return graph.along(TOKENS, 'ReduceMax', `${at}.rows`, masked, { keepdims: 0 });
}

/** The sum divided by the square root of the number of tokens. */
function addScaledSum(graph: GraphBuilder, at: string, hidden: string, tokens: PooledTokens): string {
  const mask = tokens.addMask(graph, at);
  const count = tokens.addCount(graph, at, mask);
  const shares = graph.node('Div', `${at}.shares`, [mask, graph.node('Sqrt', `${at}.root`, [count])]);
  return addWeightedSum(graph, at, hidden, shares);
}

/** The mean with weights 1, 2, 3 and so on, which count the prompt's tokens in any case. */
function addWeightedMean(graph: GraphBuilder, at: string, hidden: string, tokens: PooledTokens): string {
  const weights = graph.node('Mul', `${at}.weights`, [numbersOf(graph, at), tokens.addMask(graph, at)]);
  const total = tokens.addCount(graph, at, weights);
  return addWeightedSum(graph, at, hidden, graph.node('Div', `${at}.shares`, [weights, total]));
}

/** The last token that is not padding, as a sum in which only it has a weight. */
function addLast(graph: GraphBuilder, at: string, hidden: string): string {
  const mask = ALL_TOKENS.addMask(graph, at);
  const weights = graph.node('Mul', `${at}.weights`, [numbersOf(graph, at), mask]);
  const count = ALL_TOKENS.addCount(graph, at, mask);
  const last = graph.node('Equal', `${at}.last`, [weights, count]);
  return addWeightedSum(graph, at, hidden, graph.cast(`${at}.shares`, last, 'float'));
}

/**
 * Sums hidden states with weights, as `addMean` does.
 * @param weights `[rows, tokens]`, float whatever the graph's precision: numbers of tokens are too large for a half
 */
function addWeightedSum(graph: GraphBuilder, at: string, hidden: string, weights: string): string {
  const own = graph.floatType === 'float' ? weights : graph.cast(`${at}.own`, weights, graph.floatType);
  const row = graph.along(TOKENS, 'Unsqueeze', `${at}.row`, own);
  const sums = graph.node('MatMul', `${at}.sums`, [row, hidden]);
  return graph.along(TOKENS, 'Squeeze', `${at}.rows`, sums);
}
