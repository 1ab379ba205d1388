import { BootError } from '#contracts';
import type { DenseModule } from '../../types.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { transpose } from '../weights/matrix.js';
import { WeightsReader, type Tensor } from '../weights/weights-reader.js';
import type { Head } from './head.js';

/** A head followed by sentence-transformers' Dense modules: `activation(row x matrix + bias)`, one after the other. */
export function denseHead(pooling: Head, modules: readonly DenseModule[]): Head {
  const last = modules.at(-1);
  if (last === undefined) return pooling;
  return {
    name: [pooling.name, ...modules.map(({ inputs, outputs }) => `dense${inputs}x${outputs}`)].join(' '),
    sources: [...pooling.sources, ...modules.flatMap(({ config, weights }) => [config, weights])],
    tokenTypes: pooling.tokenTypes,
    width: () => last.outputs,
    async build(graph, at, hidden) {
      let rows = await pooling.build(graph, at, hidden);
      for (const [n, module] of modules.entries()) rows = await addDense(graph, `${at}.dense${n}`, rows, module);
      return rows;
    },
  };
}

async function addDense(graph: GraphBuilder, at: string, rows: string, module: DenseModule): Promise<string> {
  const { activation, bias, inputs, outputs, residual, weights } = module;
  const reader = await WeightsReader.open([weights]);
  const read = async (name: string, ...shape: readonly number[]): Promise<Tensor> => {
    const tensor = await reader.read(name);
    if (tensor.shape.join() === shape.join()) return tensor;
    throw new BootError(`${weights}: "${name}" is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`);
  };
  const product = async (name: string, from: string): Promise<string> => {
    const { data } = await read(from, outputs, inputs);
    const matrix = await graph.weight(`${name}.matrix`, [inputs, outputs], transpose(data, outputs, inputs));
    return graph.node('MatMul', name, [rows, matrix]);
  };
  try {
    let out = await product(`${at}.product`, 'linear.weight');
    if (bias) {
      const { data } = await read('linear.bias', outputs);
      out = graph.node('Add', `${at}.sum`, [out, await graph.weight(`${at}.bias`, [outputs], data)]);
    }
    out = ACTIVATIONS[activation](graph, `${at}.active`, out);
    if (!residual) return out;
    const skip = inputs === outputs ? rows : await product(`${at}.skip`, 'residual.weight');
    return graph.node('Add', `${at}.rows`, [out, skip]);
  } finally {
    await reader.close();
  }
}

/** Only standard operators, which existing graphs of every opset have, too. */
const ACTIVATIONS: Record<DenseModule['activation'], (graph: GraphBuilder, at: string, value: string) => string> = {
  identity: (_graph, _at, value) => value,
  tanh: (graph, at, value) => graph.node('Tanh', at, [value]),
  relu: (graph, at, value) => graph.node('Relu', at, [value]),
  gelu(graph, at, value) {
    const scaled = graph.node('Mul', `${at}.scaled`, [value, graph.scalar(`${at}.scale`, Math.SQRT1_2)]);
    const erf = graph.node('Erf', `${at}.erf`, [scaled]);
    const gate = graph.node('Add', `${at}.gate`, [erf, graph.scalar(`${at}.one`, 1)]);
    const half = graph.node('Mul', `${at}.half`, [value, graph.scalar(`${at}.factor`, 0.5)]);
    return graph.node('Mul', at, [half, gate]);
  },
};
