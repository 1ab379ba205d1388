import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Projection } from '../weights/named-weights.js';
import { addBias } from './bias.js';
import { addBiasedAttention, addRepeatedHeads } from './biased-attention.js';
import type { Linear, Product } from './linear.js';
import { addNorm, type Norm } from './residual.js';
import type { RotaryTables } from './rotary.js';
import { addSightBias, OUT_OF_SIGHT } from './sight.js';
import type { Sequences } from './token-embeddings.js';

/** The tokens near a token. */
export interface Window {
  readonly distance: number;
  /** Added to the scores, `[1, 1, tokens, tokens]`; `''` where the bias of all sight is. */
  readonly bias: string;
}

export interface GroupedAttention {
  readonly heads: number;
  /** Heads of keys and values; each serves `heads / keyHeads` heads of queries. */
  readonly keyHeads: number;
  /** Whether a token attends only to itself and to the tokens before it. */
  readonly causal: boolean;
  /** Factor of the scores. Default: `1 / sqrt(size of a head)`. */
  readonly scale?: number | undefined;
  readonly tables: RotaryTables;
  /** Result of `addWindow`; null when a token attends to all tokens. */
  readonly window: Window | null;
}

export interface GroupedAttentionWeights {
  /** Queries, keys and values side by side: `[hidden, (heads + 2 * keyHeads) * size]`. */
  readonly packed: Projection;
  /** `[heads * size, hidden]`. */
  readonly output: Projection;
  /** Norms of each head's queries and keys, before they are turned; null when there are none. */
  readonly headNorms: { readonly query: Norm; readonly key: Norm } | null;
}

/**
 * Self-attention with rotary positions, in which several heads of queries may share one of keys and values, with the
 * projections before and after it.
 * @param input `[rows, tokens, hidden]`, the output of a norm
 * @returns `[rows, tokens, hidden]`
 */
export async function addGroupedSelfAttention(
  graph: GraphBuilder,
  linear: Linear,
  at: string,
  input: string,
  sequences: Sequences,
  { packed, output, headNorms }: GroupedAttentionWeights,
  attention: GroupedAttention,
): Promise<Product> {
  const { heads, keyHeads, tables, causal, scale, window } = attention;
  const size = packed.matrix.outputs / (heads + 2 * keyHeads);
  // The CPU's operator for grouped heads turns heads of such sizes only; others are turned before it.
  const onCpu = graph.provider === 'cpu';
  const turnsInside = onCpu && size % 16 === 0;
  const product = await linear.product(graph, `${at}.project`, input, 'norm', packed);
  const projected = addBias(graph, `${at}.project`, product);
  let parts = [projected, '', ''];
  if (headNorms !== null || !turnsInside) parts = addSplit(graph, at, projected, [heads, keyHeads, keyHeads], size);
  if (headNorms !== null) {
    parts[0] = await addHeadNorm(graph, `${at}.queries.normed`, parts[0]!, heads, headNorms.query);
    parts[1] = await addHeadNorm(graph, `${at}.keys.normed`, parts[1]!, keyHeads, headNorms.key);
  }
  if (!turnsInside) {
    parts[0] = addTurn(graph, `${at}.queries.turned`, parts[0]!, tables);
    parts[1] = addTurn(graph, `${at}.keys.turned`, parts[1]!, tables);
  }
  if (!onCpu) {
    const shape = { keyHeads, heads, size };
    const [queries, keys, values] = parts as [string, string, string];
    const attended = addBiasedAttention(graph, `${at}.attention`, {
      parts: [
        queries,
        addRepeatedHeads(graph, `${at}.keys.all`, keys, shape),
        addRepeatedHeads(graph, `${at}.values.all`, values, shape),
      ],
      heads,
      size,
      scale,
      scoreBias: addSightBias(graph, { causal, distance: window?.distance ?? null }),
    });
    return linear.product(graph, `${at}.mix`, attended, 'attention', output);
  }
  const inputs = [...parts, '', '', sequences.last, sequences.tokens];
  if (turnsInside) inputs.push(tables.cosines, tables.sines);
  if (window !== null) inputs.push(...(turnsInside ? [] : ['', '']), '', window.bias);
  const attended = graph.fused(
    'GroupQueryAttention',
    `${at}.attention`,
    inputs,
    {
      num_heads: heads,
      kv_num_heads: keyHeads,
      do_rotary: Number(turnsInside),
      causal: Number(causal),
      ...(scale === undefined ? {} : { scale: { float: scale } }),
    },
    // Keys and values for a next call, which never comes: the operator always has them.
    [`${at}.attention`, `${at}.keys`, `${at}.values`],
  );
  return linear.product(graph, `${at}.mix`, attended, 'attention', output);
}

/** @returns queries, keys and values, `[rows, tokens, counts * size]` each */
function addSplit(graph: GraphBuilder, at: string, packed: string, counts: readonly number[], size: number): string[] {
  const outputs = ['queries', 'keys.projected', 'values.projected'].map((part) => `${at}.${part}`);
  const widths = graph.integers(
    `${at}.widths`,
    counts.map((count) => count * size),
  );
  graph.node('Split', `${at}.split`, [packed, widths], { axis: -1 }, { outputs });
  return outputs;
}

/** Normalises each head by itself: `[rows, tokens, heads * size]`. */
async function addHeadNorm(
  graph: GraphBuilder,
  name: string,
  value: string,
  heads: number,
  norm: Norm,
): Promise<string> {
  const size = norm.gamma.length;
  const apart = graph.node('Reshape', `${name}.apart`, [value, graph.integers(`${name}.split`, [0, 0, heads, size])]);
  const normed = await addNorm(graph, `${name}.heads`, apart, norm);
  return graph.node('Reshape', name, [normed, graph.integers(`${name}.joined`, [0, 0, heads * size])]);
}

/** Turns each head by its token's position: `[rows, tokens, heads * size]`. The first token has position 0. */
function addTurn(graph: GraphBuilder, name: string, value: string, { cosines, sines }: RotaryTables): string {
  return graph.fused('RotaryEmbedding', name, [value, graph.integers(`${name}.first`, [0]), cosines, sines]);
}

/**
 * What is added to the scores so that a token attends to no token farther away than `distance`; one value serves all
 * layers. Its size is quadratic in the length of the longest text: 256 MB for 8,192 tokens in fp32. The operator has a
 * window of its own, but only for causal attention.
 */
export function addWindow(graph: GraphBuilder, name: string, { count }: Sequences, distance: number): Window {
  if (graph.provider !== 'cpu') return { distance, bias: '' };
  const bound = (part: string, value: number) => inlineInteger(graph, `${name}.${part}`, value);
  const range = graph.node('Range', `${name}.positions`, [bound('first', 0), count, bound('step', 1)]);
  const row = graph.along(0, 'Unsqueeze', `${name}.row`, range);
  const column = graph.along(1, 'Unsqueeze', `${name}.column`, range);
  const apart = graph.node('Abs', `${name}.apart`, [graph.node('Sub', `${name}.difference`, [row, column])]);
  const far = graph.node('Greater', `${name}.far`, [apart, bound('distance', distance)]);
  const biases = [graph.scalar(`${name}.out`, OUT_OF_SIGHT), graph.scalar(`${name}.in`, 0)];
  const square = graph.node('Where', `${name}.square`, [far, ...biases]);
  const bias = graph.along(0, 'Unsqueeze', name, graph.along(0, 'Unsqueeze', `${name}.head`, square));
  return { distance, bias };
}

/** An int64 scalar. */
function inlineInteger(graph: GraphBuilder, name: string, value: number): string {
  return graph.along(0, 'Squeeze', name, graph.integers(`${name}.list`, [value]));
}
