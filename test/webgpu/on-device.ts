/**
 * Run as a program of its own, with the variables of `softwareVulkan`: runs graphs on WebGPU with all fallback to the
 * CPU forbidden, and the CPU's own graphs of the same models on the CPU.
 *
 * Argument: a file with JSON of `Pair[]`. Output: JSON of `Outcome[]`: of the device's probe, and of each pair.
 */
import { readFile } from 'node:fs/promises';
import type { InferenceSession } from 'onnxruntime-node';
import { probeDevice } from '#inference';
import type { Graph } from '#model';
import { cosine, runRows, TINY_ROWS } from '../support/encoder-check.js';

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

const ON_WEBGPU_ALONE: InferenceSession.SessionOptions = {
  executionProviders: ['webgpu'],
  logSeverityLevel: 4,
  extra: { session: { disable_cpu_ep_fallback: '1' } },
};

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
  const expected = await runRows(cpu, TINY_ROWS);
  try {
    const found = await runRows(webgpu, TINY_ROWS, undefined, ON_WEBGPU_ALONE);
    outcomes.push({ name, cosine: Math.min(...found.map((row, r) => cosine(row, expected[r]!))), error: '' });
  } catch (error) {
    outcomes.push({ name, cosine: null, error: (error as Error).message.split('\n', 1)[0]! });
  }
}
console.log(JSON.stringify(outcomes));
