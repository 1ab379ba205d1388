import type { GraphBuilder } from '../onnx/graph-builder.js';

/** Far below every score, and in half precision still far from the lowest number, so that no sum becomes infinite. */
export const OUT_OF_SIGHT = -30_000;

/** Farther than any token. */
const PADDING = 1_000_000;

/** The tokens that a token attends to; never padding. */
export interface Sight {
  /** Whether only itself and the tokens before it. */
  readonly causal: boolean;
  /** Largest distance; null: any. */
  readonly distance: number | null;
}

/**
 * What is added to the scores of queries and keys, for operators that know neither lengths nor windows: 0 in sight, and
 * `OUT_OF_SIGHT` elsewhere. One value serves all layers with the same sight. Computed from the mask alone, in floats: a
 * provider would compute anything that begins with a shape on the CPU, and WebGPU has no int64.
 * @returns `[rows, 1, tokens, tokens]`, in the graph's own precision
 */
export function addSightBias(graph: GraphBuilder, { causal, distance }: Sight): string {
  const kind = [causal ? 'before' : 'all', ...(distance === null ? [] : [distance])].join('');
  return graph.once(`sight.${kind}`, (name) => {
    let ahead = addAhead(graph);
    let farthest = causal ? 0 : PADDING / 2;
    if (distance !== null) {
      // Causal: the middle of the window is half of it behind the query.
      if (causal) {
        const middle = graph.scalar(`${name}.middle`, distance / 2, 'float');
        ahead = graph.node('Add', `${name}.shifted`, [ahead, middle]);
      }
      ahead = graph.node('Abs', `${name}.apart`, [ahead]);
      farthest = causal ? distance / 2 : distance;
    }
    const hidden = graph.node('Greater', `${name}.hidden`, [ahead, graph.scalar(`${name}.end`, farthest, 'float')]);
    const biases = [graph.scalar(`${name}.out`, OUT_OF_SIGHT), graph.scalar(`${name}.in`, 0)];
    return graph.node('Where', name, [hidden, ...biases]);
  });
}

/** How many tokens a key is ahead of a query, float `[rows, 1, tokens, tokens]`; keys of padding are farther than all. */
function addAhead(graph: GraphBuilder): string {
  return graph.once('sight.ahead', (name) => {
    const mask = graph.cast(`${name}.mask`, graph.input('attention_mask'), 'float');
    const numbers = graph.node('CumSum', `${name}.numbers`, [mask, graph.integers(`${name}.along`, [1])]);
    const padding = graph.node('Sub', `${name}.padding`, [graph.scalar(`${name}.one`, 1, 'float'), mask]);
    const away = graph.node('Mul', `${name}.away`, [padding, graph.scalar(`${name}.far`, PADDING, 'float')]);
    const keys = graph.node('Add', `${name}.keys`, [numbers, away]);
    const spread = (part: string, value: string, axis: number) =>
      graph.along(1, 'Unsqueeze', `${name}.${part}.head`, graph.along(axis, 'Unsqueeze', `${name}.${part}`, value));
    return graph.node('Sub', name, [spread('key', keys, 1), spread('query', numbers, 2)]);
  });
}
