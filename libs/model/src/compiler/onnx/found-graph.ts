import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
export type OnnxModel = onnxProto.onnx.ModelProto;
type ValueInfo = onnxProto.onnx.IValueInfoProto;

/** Reads and decodes an ONNX file (protobuf), without its external weights. */
export async function readModel(path: string): Promise<OnnxModel> {
  return onnx.ModelProto.decode(await readFile(path));
}

/** Names of the inputs that a caller must supply; old files list weights among the inputs, too. */
export function inputsOf({ graph }: OnnxModel): string[] {
  const weights = new Set((graph?.initializer ?? []).map(({ name }) => name));
  return (graph?.input ?? []).map(({ name }) => name ?? '').filter((name) => !weights.has(name));
}

/**
 * Finds an output of the given rank: by name, in order of preference; else the only one of that rank, apart from
 * `never`.
 * @returns null when there is none, or no unambiguous one
 */
export function outputOf(
  { graph }: OnnxModel,
  names: readonly string[],
  rank: number,
  never: readonly string[],
): ValueInfo | null {
  const ranked = (graph?.output ?? []).filter(({ type }) => (type?.tensorType?.shape?.dim?.length ?? 0) === rank);
  for (const name of names) {
    const named = ranked.find((output) => output.name === name);
    if (named !== undefined) return named;
  }
  const others = ranked.filter(({ name }) => !never.includes(name ?? ''));
  return others.length === 1 ? others[0]! : null;
}

/** Version of the standard operators (opset) in a graph. */
export function opsetOf({ opsetImport }: OnnxModel): number {
  return Number(opsetImport.find(({ domain }) => !domain)?.version ?? 0);
}

/** Names of the files beside a graph that contain its weights. */
export function externalFilesOf({ graph }: OnnxModel): string[] {
  const files = new Set<string>();
  for (const { externalData } of graph?.initializer ?? []) {
    const location = externalData?.find(({ key }) => key === 'location')?.value;
    if (location) files.add(basename(location));
  }
  return [...files];
}
