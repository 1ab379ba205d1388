import type { TokenTypes } from '../layers/embeddings.js';
import { addBias } from '../layers/bias.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { addHeadActivation, addHeadLinear, addHeadNorm } from './head-weights.js';
import type { CheckpointHead } from './head.js';
import type { ClassifierParts } from './parts.js';
import { poolingHead } from './pooling.js';

/**
 * Sequence classification, as cross-encoders use it: `labels` logits for a text or a pair, before sigmoid or softmax.
 * @param tokenTypes `input` if the texts of a pair differ in their token types, where the family has any
 */
export function classifierHead(parts: ClassifierParts, labels: number, tokenTypes: TokenTypes): CheckpointHead {
  const { dense, norm, output } = parts;
  return {
    name: `classifier ${labels}`,
    sources: [],
    tokenTypes,
    width: () => labels,
    async build(graph, at, hidden, { weights }) {
      let vector = await addVector(graph, at, hidden, parts);
      const left = dense?.optional === true && !dense.names.some((name) => weights.has(`${name}.weight`));
      if (dense !== null && !left) {
        const product = await addHeadLinear(graph, `${at}.dense`, vector, weights, dense);
        vector = addHeadActivation(graph, `${at}.active`, product, dense.activation);
      }
      if (norm !== null) vector = await addHeadNorm(graph, `${at}.norm`, vector, weights, norm);
      const logits = `${at}.logits`;
      return addBias(graph, logits, await addHeadLinear(graph, logits, vector, weights, output, labels));
    },
  };
}

/** The hidden state that is classified, or the mean of all: `[rows, hidden]`. */
function addVector(
  graph: GraphBuilder,
  at: string,
  hidden: string,
  { padTokenId, pooling }: ClassifierParts,
): string | Promise<string> {
  if (pooling !== 'last') return poolingHead(pooling).build(graph, at, hidden);
  if (padTokenId === null) return poolingHead('lasttoken').build(graph, at, hidden);
  return addLastBeforePadding(graph, at, hidden, padTokenId);
}

const TOKENS = 1;

/**
 * The last token of each row whose id is not that of padding, as transformers looks for it: where texts end with the
 * token that also pads, it is the one before. A row of nothing else gives its first token.
 */
function addLastBeforePadding(graph: GraphBuilder, at: string, hidden: string, padTokenId: number): string {
  const mask = graph.cast(`${at}.mask`, graph.input('attention_mask'), 'float');
  const count = graph.node('CumSum', `${at}.count`, [mask, graph.integers(`${at}.along`, [TOKENS])]);
  // 1, 2, 3 and so on; 0 beyond the end of a row.
  const numbers = graph.node('Mul', `${at}.numbers`, [count, mask]);
  const pad = graph.integers(`${at}.pad`, [padTokenId]);
  const pads = graph.node('Equal', `${at}.pads`, [graph.input('input_ids'), pad]);
  const real = graph.cast(`${at}.real`, graph.node('Not', `${at}.words`, [pads]), 'float');
  const kept = graph.node('Mul', `${at}.kept`, [numbers, real]);
  const largest = graph.along(TOKENS, 'ReduceMax', `${at}.largest`, kept, { keepdims: 1 });
  const first = graph.cast(`${at}.first`, graph.integers(`${at}.one`, [1]), 'float');
  const last = graph.node('Equal', `${at}.last`, [numbers, graph.node('Max', `${at}.number`, [largest, first])]);
  const row = graph.along(TOKENS, 'Unsqueeze', `${at}.row`, graph.cast(`${at}.only`, last, graph.floatType));
  return graph.along(TOKENS, 'Squeeze', `${at}.rows`, graph.node('MatMul', `${at}.sums`, [row, hidden]));
}
