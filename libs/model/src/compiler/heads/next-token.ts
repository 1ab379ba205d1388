import { BootError } from '#contracts';
import { nameOf } from './head-weights.js';
import type { CheckpointHead } from './head.js';
import type { NextTokenParts } from './parts.js';
import { poolingHead } from './pooling.js';

/** Token ids of the answers that a reranker made of a language model gives. */
export interface Answers {
  readonly yes: number;
  /** Null: the score is the logit of `yes` alone. */
  readonly no: number | null;
}

/**
 * The score of a language model that answers yes or no: the logit of `yes` after the last token, minus that of `no`.
 * Of the vocabulary's matrix two rows are enough, and of these their difference.
 */
export function nextTokenHead({ matrix }: NextTokenParts, { no, yes }: Answers): CheckpointHead {
  return {
    name: `next token ${yes} ${no ?? ''}`,
    sources: [],
    tokenTypes: 'zero',
    width: () => 1,
    async build(graph, at, hidden, { weights }) {
      const name = nameOf(weights, matrix);
      const { data, shape } = await weights.read(name);
      const [vocabulary = 0, size = 0] = shape;
      const beyond = [yes, no ?? yes].find((id) => id >= vocabulary);
      if (beyond !== undefined) throw new BootError(`the tensor "${name}" has no row for token ${beyond}`);
      const row = Float32Array.from(
        { length: size },
        (_, i) => data[yes * size + i]! - (no === null ? 0 : data[no * size + i]!),
      );
      const last = await poolingHead('lasttoken').build(graph, at, hidden);
      return graph.node('MatMul', `${at}.score`, [last, await graph.weight(`${at}.answer`, [size, 1], row)]);
    },
  };
}
