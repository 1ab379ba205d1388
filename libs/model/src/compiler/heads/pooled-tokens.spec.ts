import ort from 'onnxruntime-node';
import { type PoolingMode, poolingModeSchema } from '#contracts';
import { poolPlainly } from '../../../../../test/support/reference-forward.js';
import { inlineWeights } from '../onnx/external-weights.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { poolingHead } from './pooling.js';

const [ROWS, TOKENS, SIZE] = [4, 5, 3];
/** Of each row; the third row's text shares tokens with its prompt, which alone has more. */
const LENGTHS = [5, 4, 2, 3];
const PROMPTS = [2, 0, 3, 1];
const HIDDEN = Float32Array.from({ length: ROWS * TOKENS * SIZE }, (_, i) => Math.sin(i * 7 + 1));

it.each(poolingModeSchema.options)('leaves the prompt out of pooling: %s', async (mode) => {
  const head = poolingHead(mode, false);
  expect(head.name).toBe(`${mode} without prompt`);
  const graph = new GraphBuilder(inlineWeights, { half: false });
  const hidden = graph.input('hidden', 'float', ['rows', 'tokens', SIZE]);
  const output = await head.build(graph, 'pooling', hidden);
  const session = await ort.InferenceSession.create(
    graph.finish([{ name: output, type: 'float', dims: ['rows', SIZE] }]),
  );
  const mask = LENGTHS.flatMap((length) => Array.from({ length: TOKENS }, (_, t) => BigInt(t < length)));
  const inputs: Record<string, ort.Tensor> = {
    hidden: new ort.Tensor('float32', HIDDEN, [ROWS, TOKENS, SIZE]),
    attention_mask: new ort.Tensor('int64', BigInt64Array.from(mask), [ROWS, TOKENS]),
    prompt_tokens: new ort.Tensor('int64', BigInt64Array.from(PROMPTS, BigInt), [ROWS]),
  };
  const data = (await session.run(Object.fromEntries(session.inputNames.map((name) => [name, inputs[name]!]))))[output]!
    .data as Float32Array;
  await session.release();
  for (const [r, length] of LENGTHS.entries()) {
    const rows = Array.from({ length }, (_, t) => [
      ...HIDDEN.subarray((r * TOKENS + t) * SIZE, (r * TOKENS + t + 1) * SIZE),
    ]);
    const found = [...data.subarray(r * SIZE, (r + 1) * SIZE)];
    if (PROMPTS[r]! >= length && mode !== 'max' && mode !== 'lasttoken') expect(found).toEqual([0, 0, 0]);
    else if (PROMPTS[r]! < length) expectClose(found, pooled(rows, PROMPTS[r]!, mode));
  }
});

/** As sentence-transformers pools: the weights of `weightedmean` count the prompt's tokens. */
function pooled(rows: readonly number[][], prompt: number, mode: PoolingMode): number[] {
  const text = rows.slice(prompt);
  if (mode !== 'weightedmean') return poolPlainly(text, mode);
  const weights = text.map((_, t) => prompt + t + 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return text[0]!.map((_, d) => text.reduce((sum, row, t) => sum + (row[d]! * weights[t]!) / total, 0));
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  for (const [d, value] of expected.entries()) expect(found[d]).toBeCloseTo(value, 5);
}
