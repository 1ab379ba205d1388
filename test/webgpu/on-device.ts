/**
 * Run as a program of its own, with the variables of `softwareVulkan`: runs graphs on WebGPU with all fallback to the
 * CPU forbidden, and the CPU's own graphs of the same models on the CPU.
 *
 * Argument: a file with JSON of `Pair[]`. Output: JSON of `Outcome[]`: of the device's probe, and of each pair.
 */
import { readFile } from 'node:fs/promises';
import ort from 'onnxruntime-node';
import { probeDevice } from '#inference';
import type { Graph } from '#model';
import { cosine, TINY_ROWS } from '../support/encoder-check.js';

export interface Pair {
  readonly name: string;
  readonly cpu: Graph;
  readonly webgpu: Graph;
}

export interface Outcome {
  readonly name: string;
  /** Smallest cosine of a row's vectors on both; null when the graph did not run on WebGPU alone. */
  readonly cosine: number | null;
  /** First line of the error, if there was one. */
  readonly error: string;
}

const outcomes: Outcome[] = [];
// Half precision needs shaders that the device may not have.
for (const half of [false, true]) {
  const error = await probeDevice({ kind: 'webgpu' }, { half }).then(
    () => '',
    (reason: Error) => reason.message,
  );
  outcomes.push({ name: `probe ${half ? 'fp16' : 'fp32'}`, cosine: null, error });
}
for (const { name, cpu, webgpu } of JSON.parse(await readFile(process.argv[2]!, 'utf8')) as Pair[]) {
  const expected = await run(cpu, 'cpu');
  try {
    const found = await run(webgpu, 'webgpu');
    outcomes.push({ name, cosine: Math.min(...found.map((row, r) => cosine(row, expected[r]!))), error: '' });
  } catch (error) {
    outcomes.push({ name, cosine: null, error: (error as Error).message.split('\n', 1)[0]! });
  }
}
console.log(JSON.stringify(outcomes));

async function run({ onnxPath, graph }: Graph, provider: 'cpu' | 'webgpu'): Promise<number[][]> {
  const session = await ort.InferenceSession.create(onnxPath, {
    executionProviders: [provider],
    logSeverityLevel: 4,
    extra: { session: provider === 'cpu' ? {} : { disable_cpu_ep_fallback: '1' } },
  });
  const wide = session.inputMetadata.some((input) => input.isTensor && input.type === 'int64');
  const tokens = Math.max(...TINY_ROWS.map((row) => row.length));
  const tensor = (of: (row: readonly number[], token: number) => number) => {
    const values = TINY_ROWS.flatMap((row) => Array.from({ length: tokens }, (_, token) => of(row, token)));
    const dims = [TINY_ROWS.length, tokens];
    return wide
      ? new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims)
      : new ort.Tensor('int32', Int32Array.from(values), dims);
  };
  try {
    const result = await session.run({
      input_ids: tensor((row, token) => row[token] ?? 0),
      attention_mask: tensor((row, token) => Number(token < row.length)),
    });
    const values = [...(result[graph.output]!.data as Float32Array)];
    return TINY_ROWS.map((_, r) => values.slice(r * graph.width, (r + 1) * graph.width));
  } finally {
    await session.release();
  }
}
