import { readFile } from 'node:fs/promises';
import onnxProto from 'onnx-proto';
import ort from 'onnxruntime-node';
import type { RunnableModel } from '#model';

const { onnx } = onnxProto;

/** Rows and columns of the matrices: they fill the caches as a large batch does, and a product takes about 10 ms. */
const SIDE = 1024;
const PRODUCTS = 12;
/** Operators of the compiled fp32 graph that multiply their first input by a matrix of weights. */
const MULTIPLYING = ['MatMul', 'Attention'];
/** A multiplication and an addition count as two operations. */
const OPERATIONS = 2;

/** Number of floating-point operations of a model's matrix products, in the fp32 graph. */
export interface Arithmetic {
  /** In the linear layers, for each token, padding included. */
  readonly perToken: number;
  /** In the two products of attention, for each pair of tokens of a row, over all layers. */
  readonly perPair: number;
}

/** Derives the cost of a token from a compiled fp32 graph: two operations for each weight it is multiplied by. */
export async function readArithmetic({ onnxPath, graph: { width } }: RunnableModel): Promise<Arithmetic> {
  const graph = onnx.ModelProto.decode(await readFile(onnxPath)).graph;
  const sizes = new Map<string, number>();
  for (const { name, dims } of graph?.initializer ?? []) {
    if (dims?.length === 2) sizes.set(name ?? '', Number(dims[0]) * Number(dims[1]));
  }
  let weights = 0;
  let layers = 0;
  for (const { opType, input } of graph?.node ?? []) {
    if (!MULTIPLYING.includes(opType ?? '')) continue;
    weights += sizes.get(input?.[1] ?? '') ?? 0;
    layers += Number(opType === 'Attention');
  }
  return { perToken: OPERATIONS * weights, perPair: 2 * OPERATIONS * width * layers };
}

/** Number of operations of one micro-batch `[rows, tokens]`, padding included. */
export function operations({ perToken, perPair }: Arithmetic, rows: number, tokens: number): number {
  return rows * tokens * (perToken + tokens * perPair);
}

/** The best rate that ONNX Runtime reaches on this machine with one large product of two fp32 matrices, GFLOP/s. */
export async function measureGemmPeak(threads: number): Promise<number> {
  const session = await ort.InferenceSession.create(product(), { intraOpNumThreads: threads });
  const matrix = () => new ort.Tensor('float32', Float32Array.from({ length: SIDE * SIDE }, Math.random), [SIDE, SIDE]);
  const feeds = { a: matrix(), b: matrix() };
  let best = Infinity;
  for (let n = 0; n < PRODUCTS; n++) {
    const began = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - began);
  }
  await session.release();
  return (OPERATIONS * SIDE ** 3) / best / 1e6;
}

function product(): Uint8Array {
  const float = onnx.TensorProto.DataType.FLOAT;
  const matrix = (name: string) => ({
    name,
    type: { tensorType: { elemType: float, shape: { dim: [{ dimValue: SIDE }, { dimValue: SIDE }] } } },
  });
  return onnx.ModelProto.encode({
    irVersion: 9,
    opsetImport: [{ domain: '', version: 20 }],
    graph: {
      name: 'product',
      node: [{ opType: 'MatMul', input: ['a', 'b'], output: ['c'] }],
      input: [matrix('a'), matrix('b')],
      output: [matrix('c')],
    },
  }).finish();
}
