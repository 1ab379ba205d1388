import { PROMPT_TOKENS } from '../../types.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';

/** Which tokens of a row are pooled. All values are floats, whatever the graph's precision. */
export interface PooledTokens {
  /** `[rows, tokens]`: 1 for tokens that are pooled, 0 for all others. */
  addMask(graph: GraphBuilder, at: string): string;
  /** `[rows, 1]`: the sum of weights `[rows, tokens]` of pooled tokens, to divide by. */
  addCount(graph: GraphBuilder, at: string, weights: string): string;
}

const TOKENS = 1;

/** All but padding. */
export const ALL_TOKENS: PooledTokens = {
  addMask: (graph, at) => graph.cast(`${at}.mask`, graph.input('attention_mask'), 'float'),
  addCount: (graph, at, weights) => graph.along(TOKENS, 'ReduceSum', `${at}.count`, weights, { keepdims: 1 }),
};

/** Those after the prompt. */
export const TEXT_TOKENS: PooledTokens = {
  addMask(graph, at) {
    const after = graph.node('Greater', `${at}.after`, [numbersOf(graph, `${at}.own`), promptOf(graph, at)]);
    const all = ALL_TOKENS.addMask(graph, `${at}.all`);
    return graph.node('Mul', `${at}.mask`, [all, graph.cast(`${at}.text`, after, 'float')]);
  },
  // A prompt alone may have more tokens than together with a text: then nothing is pooled, and the vector is zero.
  addCount(graph, at, weights) {
    const count = ALL_TOKENS.addCount(graph, `${at}.of`, weights);
    return graph.node('Max', `${at}.count`, [count, graph.scalar(`${at}.least`, 1, 'float')]);
  },
};

/** `[rows, tokens]`: the number of each token in its row, from 1; from the first padding on it stays the same. */
export function numbersOf(graph: GraphBuilder, at: string): string {
  const mask = ALL_TOKENS.addMask(graph, `${at}.numbered`);
  return graph.node('CumSum', `${at}.numbers`, [mask, graph.integers(`${at}.along`, [TOKENS])]);
}

/** `[rows, 1]`: how many tokens the prompt of a row has, with those before it. */
export function promptOf(graph: GraphBuilder, at: string): string {
  const counts = graph.cast(`${at}.counts`, graph.input(PROMPT_TOKENS, graph.idType, ['rows']), 'float');
  return graph.along(TOKENS, 'Unsqueeze', `${at}.prompt`, counts);
}
