import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { ExternalWeights } from '../onnx/external-weights.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { addInt8MatMul, addRefinedMatMul } from './int8-linear.js';
import { addRowProduct } from './row-int8-linear.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-int8-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [TOKENS, INPUTS, OUTPUTS] = [16, 64, 32];

it('two steps keep an activation twenty times as large as the rest from drowning them, with a scale for each row, too', async () => {
  const data = Float32Array.from({ length: INPUTS * OUTPUTS }, (_, i) => Math.sin(i * 1.7));
  const input = Float32Array.from({ length: TOKENS * INPUTS }, (_, i) => (i % INPUTS === 7 ? 20 : Math.cos(i * 0.9)));
  const external = await ExternalWeights.create(join(folder, 'weights.bin'));
  const graph = new GraphBuilder(external, { half: false });
  const matrix = { data, inputs: INPUTS, outputs: OUTPUTS };
  const bias = await graph.weight('bias', [OUTPUTS], new Float32Array(OUTPUTS).fill(3));
  graph.input('input', 'float', ['rows', 'tokens', INPUTS]);
  await addInt8MatMul(graph, 'one', 'input', matrix, bias);
  await addRefinedMatMul(graph, 'two', 'input', matrix, bias);
  const rows = await addRowProduct(graph, 'rows.product', 'input', matrix, true);
  graph.node('Add', 'rows', [rows, bias]);
  const dims = ['rows', 'tokens', OUTPUTS];
  const model = graph.finish([
    { name: 'one', type: 'float', dims },
    { name: 'two', type: 'float', dims },
    { name: 'rows', type: 'float', dims },
  ]);
  await external.close();
  await writeFile(join(folder, 'model.onnx'), model);
  const session = await ort.InferenceSession.create(join(folder, 'model.onnx'), { intraOpNumThreads: 1 });
  const results = await session.run({ input: new ort.Tensor('float32', input, [1, TOKENS, INPUTS]) });
  await session.release();

  // The outlier's own weights are rounded alike in both: what is compared is how well the others come through.
  const errors = ['one', 'two', 'rows'].map((name) => {
    const found = results[name]!.data as Float32Array;
    return rootMeanSquare(Array.from(found, (value, i) => value - exact(input, data, i)));
  });
  expect(errors[1]).toBeLessThan(errors[0]! / 2);
  expect(errors[2]).toBeLessThan(errors[0]! / 2);
});

function exact(input: Float32Array, data: Float32Array, at: number): number {
  const [token, output] = [Math.floor(at / OUTPUTS), at % OUTPUTS];
  let sum = 3;
  for (let k = 0; k < INPUTS; k++) sum += input[token * INPUTS + k]! * data[k * OUTPUTS + output]!;
  return sum;
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
