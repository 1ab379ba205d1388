import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { Projection } from '../weights/named-weights.js';
import { addActivation, type Activation } from './activation.js';
import type { Linear, Product } from './linear.js';

export interface MixtureOfExperts {
  /** `[hidden, experts]`, without a bias. */
  readonly router: Projection;
  /** Experts of each token. */
  readonly chosen: number;
  /** Two linear layers each, without biases. */
  readonly experts: readonly { readonly wide: Projection; readonly narrow: Projection }[];
  readonly activation: Activation;
  /** `[hidden]`, added once. */
  readonly bias: Float32Array;
}

/**
 * A feed-forward layer of several experts, of which each token goes through the `chosen` ones whose scores are highest.
 * The results are added with weights, the softmax of all scores. Each expert gets only its own tokens.
 * @param input `[rows, tokens, hidden]`
 * @returns `[rows, tokens, hidden]`
 */
export async function addMixtureOfExperts(
  graph: GraphBuilder,
  linear: Linear,
  at: string,
  input: string,
  { router, chosen, experts, activation, bias }: MixtureOfExperts,
): Promise<Product> {
  const size = bias.length;
  const tokens = graph.node('Reshape', `${at}.flat`, [input, graph.integers(`${at}.flat.shape`, [-1, size])]);
  const gates = await addGates(graph, at, tokens, router, chosen, experts.length);
  let sum = graph.node('Mul', `${at}.none`, [tokens, graph.scalar(`${at}.zero`, 0)]);
  for (const [n, { wide, narrow }] of experts.entries()) {
    const name = `${at}.expert${n}`;
    const gate = graph.along(1, 'Squeeze', `${name}.gate`, gates[n]!);
    const own = graph.along(0, 'Squeeze', `${name}.own`, graph.node('NonZero', `${name}.found`, [gate]));
    const rows = graph.node('Gather', `${name}.rows`, [tokens, own]);
    const product = await linear.product(graph, `${name}.wide`, rows, 'norm', wide);
    const active = addActivation(graph, `${name}.active`, product, activation);
    const result = await linear.product(graph, `${name}.narrow`, active, 'activation', narrow);
    const weights = graph.node('Gather', `${name}.weights`, [gates[n]!, own]);
    const weighted = graph.node('Mul', `${name}.weighted`, [result.value, weights]);
    // Rows that are scattered are unique, so that they can be read, added to and written back.
    const before = graph.node('Gather', `${name}.before`, [sum, own]);
    const added = graph.node('Add', `${name}.added`, [before, weighted]);
    sum = graph.node('ScatterND', `${name}.sum`, [sum, graph.along(1, 'Unsqueeze', `${name}.places`, own), added]);
  }
  const shape = graph.node('Shape', `${at}.shape`, [input]);
  return {
    value: graph.node('Reshape', `${at}.mixed`, [sum, shape]),
    bias: await graph.weight(`${at}.bias`, [size], bias),
  };
}

/** The weight of each expert for each token, 0 where it is not chosen: a value `[rows * tokens, 1]` for each. */
async function addGates(
  graph: GraphBuilder,
  at: string,
  tokens: string,
  router: Projection,
  chosen: number,
  experts: number,
): Promise<string[]> {
  const matrix = await graph.weight(`${at}.router`, [router.matrix.inputs, experts], router.matrix.data);
  const logits = graph.node('MatMul', `${at}.logits`, [tokens, matrix]);
  const scores = graph.node('Softmax', `${at}.scores`, [logits], { axis: -1 });
  const [best, places] = [`${at}.best`, `${at}.best.places`];
  graph.node(
    'TopK',
    best,
    [scores, graph.integers(`${at}.chosen`, [chosen])],
    { axis: -1 },
    { outputs: [best, places] },
  );
  const none = graph.node('Mul', `${at}.gates.none`, [scores, graph.scalar(`${at}.gates.zero`, 0)]);
  const gates = graph.node('ScatterElements', `${at}.gates`, [none, places, best], { axis: -1 });
  const outputs = Array.from({ length: experts }, (_, n) => `${at}.gates.${n}`);
  graph.node('Split', `${at}.gates.split`, [gates], { axis: -1, num_outputs: experts }, { outputs });
  return outputs;
}
