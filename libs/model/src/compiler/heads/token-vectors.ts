import { addBias } from '../layers/bias.js';
import type { CheckpointHead } from './head.js';
import { addOwnLinear, type OwnLinear } from './own-linear.js';

/**
 * The multi-vector head of bge-m3, as in ColBERT: a vector of length 1 for each token but the first,
 * `[rows, tokens - 1, width]`, and zeros for padding.
 */
export function tokenVectorsHead(linear: OwnLinear): CheckpointHead {
  return {
    name: 'token vectors',
    sources: [linear.path],
    tokenTypes: 'zero',
    each: 'token after the first',
    width: () => linear.outputs,
    async build(graph, at, hidden) {
      const rest = (name: string, value: string) =>
        graph.node('Slice', name, [
          value,
          graph.integers(`${name}.start`, [1]),
          graph.integers(`${name}.end`, [Number.MAX_SAFE_INTEGER]),
          graph.integers(`${name}.axis`, [1]),
        ]);
      const states = rest(`${at}.states`, hidden);
      const projected = addBias(graph, `${at}.linear`, await addOwnLinear(graph, `${at}.linear`, states, linear));
      const mask = graph.cast(`${at}.mask`, rest(`${at}.real`, graph.input('attention_mask')), 'float');
      // Squares of halves would overflow.
      const vectors = graph.node('Mul', `${at}.vectors`, [
        graph.cast(`${at}.floats`, projected, 'float'),
        graph.along(2, 'Unsqueeze', `${at}.column`, mask),
      ]);
      const squares = graph.node('Mul', `${at}.squares`, [vectors, vectors]);
      const length = graph.node('Sqrt', `${at}.length`, [
        graph.along(2, 'ReduceSum', `${at}.sums`, squares, { keepdims: 1 }),
      ]);
      // Padding stays zero: it is divided by the least number that a half can be, not by zero.
      const least = graph.cast(`${at}.least.float`, graph.scalar(`${at}.least`, 2 ** -24), 'float');
      return graph.node('Div', `${at}.rows`, [vectors, graph.node('Max', `${at}.divisor`, [length, least])]);
    },
  };
}
