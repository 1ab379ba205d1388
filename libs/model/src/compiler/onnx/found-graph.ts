import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import onnxProto from 'onnx-proto';
import { BootError } from '#contracts';

const { onnx } = onnxProto;
export type OnnxModel = onnxProto.onnx.ModelProto;
type Graph = onnxProto.onnx.IGraphProto;
type Node = onnxProto.onnx.INodeProto;
type Tensor = onnxProto.onnx.ITensorProto;
type ValueInfo = onnxProto.onnx.IValueInfoProto;

/** An input or output of a found graph, as far as the file describes it. */
export interface FoundValue {
  readonly name: string;
  /** ONNX's name of its type, such as `FLOAT`; null: not given. */
  readonly type: string | null;
  /** Names stand for variable sizes, null for those of which nothing is given. null: not even their number is given. */
  readonly dims: readonly (number | string | null)[] | null;
}

/** Reads and decodes an ONNX file (protobuf), without its external weights. @throws BootError, one line */
export async function readModel(path: string): Promise<OnnxModel> {
  try {
    return onnx.ModelProto.decode(await readFile(path));
  } catch (error) {
    const [reason] = (error as Error).message.split('\n', 1);
    throw new BootError(`${path} cannot be read as ONNX: ${reason}`, { cause: error });
  }
}

/** The inputs that a caller must supply; old files list weights among the inputs, too. */
export function inputValuesOf({ graph }: OnnxModel): FoundValue[] {
  const weights = new Set((graph?.initializer ?? []).map(({ name }) => name));
  return (graph?.input ?? []).filter(({ name }) => !weights.has(name)).map(foundValue);
}

/** Their names. */
export function inputsOf(model: OnnxModel): string[] {
  return inputValuesOf(model).map(({ name }) => name);
}

export function outputValuesOf({ graph }: OnnxModel): FoundValue[] {
  return (graph?.output ?? []).map(foundValue);
}

function foundValue({ name, type: described }: ValueInfo): FoundValue {
  const tensor = described?.tensorType;
  const dims = tensor?.shape?.dim?.map(({ dimParam, dimValue }) => {
    const size = Number(dimValue ?? 0);
    return dimParam ? dimParam : size > 0 ? size : null;
  });
  const type = onnx.TensorProto.DataType[tensor?.elemType ?? 0];
  return { name: name ?? '', type: type === undefined || type === 'UNDEFINED' ? null : type, dims: dims ?? null };
}

/** Version of the standard operators (opset) in a graph. */
export function opsetOf({ opsetImport }: OnnxModel): number {
  return Number(opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0);
}

/** All nodes: those of the graph, of the branches and loops in it, and of the model's own functions. */
export function* nodesOf({ functions, graph }: OnnxModel): Generator<Node> {
  for (const { node } of graph ? graphsIn(graph) : []) yield* node ?? [];
  for (const { node } of functions ?? []) {
    for (const one of node ?? []) {
      yield one;
      for (const inner of graphsOf(one)) yield* inner.node ?? [];
    }
  }
}

/**
 * Names of the files with a graph's weights, relative to its folder.
 * @throws BootError for one that lies elsewhere
 */
export function externalFilesOf(model: OnnxModel, source: string): string[] {
  const graphs = model.graph ? [...graphsIn(model.graph)] : [];
  const tensors: Tensor[] = graphs.flatMap(({ initializer }) => initializer ?? []);
  for (const { attribute } of nodesOf(model)) {
    for (const { t, tensors: several } of attribute ?? []) tensors.push(...(t ? [t] : []), ...(several ?? []));
  }
  const files = new Set<string>();
  for (const { dataLocation, externalData } of tensors) {
    if (dataLocation !== onnx.TensorProto.DataLocation.EXTERNAL) continue;
    const location = externalData?.find(({ key }) => key === 'location')?.value ?? '';
    const file = posix.normalize(location);
    if (location === '' || file.startsWith('../') || posix.isAbsolute(file)) {
      throw new BootError(`${source}: its ONNX graph has weights in "${location}", which is not in its own folder`);
    }
    files.add(file);
  }
  return [...files];
}

/** A graph and all graphs within its nodes. */
function* graphsIn(graph: Graph): Generator<Graph> {
  yield graph;
  for (const node of graph.node ?? []) yield* graphsOf(node);
}

function* graphsOf({ attribute }: Node): Generator<Graph> {
  for (const { g, graphs } of attribute ?? []) {
    for (const inner of [...(g ? [g] : []), ...(graphs ?? [])]) yield* graphsIn(inner);
  }
}
