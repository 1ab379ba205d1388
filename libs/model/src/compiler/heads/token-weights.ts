import { BootError } from '#contracts';
import { addHeadActivation } from './head-weights.js';
import type { CheckpointHead } from './head.js';
import { addOwnLinear, type OwnLinear } from './own-linear.js';

/**
 * The sparse head of bge-m3: a weight for each token, `[rows, tokens, 1]`, at least 0, and 0 for padding. A text's
 * sparse vector has the largest weight of each token id, without the special tokens.
 */
export function tokenWeightsHead(linear: OwnLinear): CheckpointHead {
  if (linear.outputs !== 1) throw new BootError(`${linear.path}: "weight" has ${linear.outputs} rows, not 1`);
  return {
    name: 'token weights',
    sources: [linear.path],
    tokenTypes: 'zero',
    each: 'token',
    width: () => 1,
    async build(graph, at, hidden) {
      const weights = addHeadActivation(
        graph,
        `${at}.relu`,
        await addOwnLinear(graph, `${at}.linear`, hidden, linear),
        'relu',
      );
      const mask = graph.cast(`${at}.mask`, graph.input('attention_mask'), graph.floatType);
      return graph.node('Mul', `${at}.rows`, [weights, graph.along(2, 'Unsqueeze', `${at}.column`, mask)]);
    },
  };
}
