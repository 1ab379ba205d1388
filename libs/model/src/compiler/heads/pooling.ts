import type { Pooling } from '#contracts';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Head } from './head.js';

/** Pools hidden states over the tokens that are not padding: the first one's, the mean, or the element-wise maximum. */
export function poolingHead(pooling: Pooling): Head {
  return {
    name: pooling,
    tokenTypes: 'zero',
    width: (hiddenSize) => hiddenSize,
    build: BUILDERS[pooling],
  };
}

const TOKENS = 1;

const BUILDERS: Record<Pooling, Head['build']> = { cls: addFirst, mean: addMean, max: addLargest };

function addFirst(graph: GraphBuilder, at: string, hidden: string): string {
  const range = [graph.integers(`${at}.start`, [0]), graph.integers(`${at}.end`, [1])];
  const axis = graph.integers(`${at}.axis`, [TOKENS]);
  const first = graph.node('Slice', `${at}.first`, [hidden, ...range, axis]);
  return graph.along(TOKENS, 'Squeeze', `${at}.rows`, first);
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

function addLargest(graph: GraphBuilder, at: string, hidden: string): string {
  const mask = graph.cast(`${at}.bool`, graph.input('attention_mask'), 'bool');
  const real = graph.along(2, 'Unsqueeze', `${at}.real`, mask);
  // The lowest finite number of half precision.
  const masked = graph.node('Where', `${at}.masked`, [real, hidden, graph.scalar(`${at}.lowest`, -65_504)]);
  return graph.along(TOKENS, 'ReduceMax', `${at}.rows`, masked, { keepdims: 0 });
}
