import ort from 'onnxruntime-node';
import type { Dtype } from '#contracts';
import { type Graph, loadModel, PROMPT_TOKENS, type RunnableModel } from '#model';

/** Token ids of texts, short and long, below 60. One contains padding tokens itself, which are 0 or 1. */
export const TINY_ROWS: readonly (readonly number[])[] = [
  [2, 5, 9, 40, 3],
  [2, 3],
  [2, 5, 1, 9, 0, 40, 1, 3],
  [2, ...Array.from({ length: 40 }, (_, i) => 5 + ((i * 7) % 50)), 3],
];

export function compileFolder(folder: string, dtype: Dtype, modelDir: string): Promise<RunnableModel> {
  return loadModel(
    { name: 'tiny', source: folder },
    { modelDir, device: 'cpu', dtype, hfEndpoint: 'http://127.0.0.1' },
  );
}

/**
 * Runs token ids through a graph as one batch, padded at the end: one vector a row.
 * @param types of the tokens, where the graph takes them
 * @param options of the session. Default: the CPU
 */
export async function runRows(
  { onnxPath, graph }: Graph,
  rows: readonly (readonly number[])[],
  types?: readonly (readonly number[])[],
  options: ort.InferenceSession.SessionOptions = {},
): Promise<number[][]> {
  const session = await ort.InferenceSession.create(onnxPath, { intraOpNumThreads: 1, ...options });
  const wide = session.inputMetadata.some((input) => input.isTensor && input.type === 'int64');
  const tokens = Math.max(...rows.map((row) => row.length));
  const tensor = (of: (row: number, token: number) => number) => {
    const values = rows.flatMap((_row, r) => Array.from({ length: tokens }, (_, t) => of(r, t)));
    const dims = [rows.length, tokens];
    return wide
      ? new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims)
      : new ort.Tensor('int32', Int32Array.from(values), dims);
  };
  const prompts = rows.map(() => 1);
  try {
    const result = await session.run({
      input_ids: tensor((r, t) => rows[r]![t] ?? 0),
      attention_mask: tensor((r, t) => Number(t < rows[r]!.length)),
      // Pooled without the prompt: that of each row is its first token.
      ...(session.inputNames.includes(PROMPT_TOKENS) && {
        [PROMPT_TOKENS]: wide
          ? new ort.Tensor('int64', BigInt64Array.from(prompts, BigInt), [rows.length])
          : new ort.Tensor('int32', Int32Array.from(prompts), [rows.length]),
      }),
      ...(types && { token_type_ids: tensor((r, t) => types[r]![t] ?? 0) }),
    });
    const data = [...(result[graph.output]!.data as Float32Array)];
    return rows.map((_, r) => data.slice(r * graph.width, (r + 1) * graph.width));
  } finally {
    await session.release();
  }
}

export function cosine(a: readonly number[], b: readonly number[]): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}
