import { createHash } from 'node:crypto';
import { link, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import { BootError, type Pooling } from '#contracts';
import { fileDigest } from '../file-digest.js';
import type { Manifest, ModelFiles, SourcedGraph } from '../types.js';
import { COMPILER_VERSION } from './compiler-version.js';
import { buildOnce, GRAPH_FILE } from './graph-folder.js';

const { onnx } = onnxProto;
type ValueInfo = onnxProto.onnx.IValueInfoProto;
type NodeProto = onnxProto.onnx.INodeProto;
type TensorProto = onnxProto.onnx.ITensorProto;

/** Outputs that hold one vector a text, best first; a `pooler_output` is BERT's own head and not the model's pooling. */
const POOLED = ['sentence_embedding', 'embedding', 'embeddings', 'text_embeds'];
/** Outputs that hold one vector a token. */
const HIDDEN = ['last_hidden_state', 'token_embeddings', 'hidden_states'];
const INPUTS = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];

/**
 * An ONNX graph as found. If it gives one vector a text it is used where it lies; if it stops at the hidden states, a
 * copy with the manifest's pooling behind them is made, once.
 * @throws BootError when it has inputs or outputs that cannot be used
 */
export async function adoptOnnx(
  files: ModelFiles,
  manifest: Manifest,
  { modelDir }: { modelDir: string },
): Promise<SourcedGraph> {
  const path = files.onnx!;
  const model = onnx.ModelProto.decode(await readFile(path));
  const inputs = (model.graph?.input ?? []).map(({ name }) => name ?? '');
  const weights = new Set((model.graph?.initializer ?? []).map(({ name }) => name));
  const taken = inputs.filter((name) => !weights.has(name));
  const unknown = taken.find((name) => !INPUTS.includes(name));
  if (unknown !== undefined) throw new BootError(`${files.source}: its ONNX graph wants an input "${unknown}"`);

  // Its positions begin after the padding id, others' at 0: no export of it is known to ask for them.
  if (manifest.architecture === 'roberta' && taken.includes('position_ids')) {
    throw new BootError(`${files.source}: its ONNX graph wants position_ids, which are only given to BERT's`);
  }

  const external = [...externalFiles(model.graph?.initializer ?? [])];
  const sources = [path, ...external.map((file) => join(dirname(path), file))];
  const outputs = model.graph?.output ?? [];
  const pooled = find(outputs, POOLED, 2);
  const interfaceOf = (output: string) => ({ inputs: taken, output, width: manifest.dimensions });
  if (pooled !== null) return { onnxPath: path, graph: interfaceOf(pooled), sources };

  const hidden = find(outputs, HIDDEN, 3);
  if (hidden === null) {
    const names = outputs.map(({ name }) => `"${name}"`).join(', ');
    throw new BootError(`${files.source}: its ONNX graph gives ${names}, neither a pooled vector nor hidden states`);
  }
  const identity = JSON.stringify([
    'pooled',
    COMPILER_VERSION,
    await Promise.all(sources.map((file) => fileDigest(file, modelDir))),
    hidden,
    manifest.pooling,
  ]);
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const folder = await buildOnce(modelDir, digest, async (target) => {
    const { graph, opsetImport } = model;
    if (!graph) throw new BootError(`${files.source}: its ONNX file has no graph`);
    const opset = Number(opsetImport.find(({ domain }) => !domain)?.version ?? 0);
    const added = poolingNodes(manifest.pooling, hidden, opset);
    graph.node = [...(graph.node ?? []), ...added.nodes];
    graph.initializer = [...(graph.initializer ?? []), ...added.initializers];
    graph.output = [floatOutput('embedmill_pooled', ['rows', manifest.dimensions])];
    for (const file of external) await bring(join(dirname(path), file), join(target, file));
    await writeFile(join(target, GRAPH_FILE), onnx.ModelProto.encode(model).finish());
  });
  return { onnxPath: join(folder, GRAPH_FILE), graph: interfaceOf('embedmill_pooled'), sources };
}

/** By name; else the only output of that rank. */
function find(outputs: readonly ValueInfo[], names: readonly string[], rank: number): string | null {
  const ranked = outputs.filter((output) => (output.type?.tensorType?.shape?.dim?.length ?? 0) === rank);
  const named = names.find((name) => ranked.some((output) => output.name === name));
  if (named !== undefined) return named;
  const others = ranked.filter(({ name }) => name !== 'pooler_output');
  return others.length === 1 ? (others[0]!.name ?? null) : null;
}

/**
 * Pooling of float hidden states in operators that every opset from 11 on has; axes are an attribute below 13 and an
 * input from there.
 */
function poolingNodes(
  pooling: Pooling,
  hidden: string,
  opset: number,
): { nodes: NodeProto[]; initializers: TensorProto[] } {
  const { FLOAT, INT64 } = onnx.TensorProto.DataType;
  const { INT, INTS } = onnx.AttributeProto.AttributeType;
  const p = (name: string) => `embedmill_${name}`;
  const integers = (name: string, dims: number[], ...values: number[]): TensorProto => ({
    name: p(name),
    dims,
    dataType: INT64,
    rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  });
  const float = (name: string, value: number): TensorProto => ({
    name: p(name),
    dims: [],
    dataType: FLOAT,
    rawData: new Uint8Array(Float32Array.of(value).buffer),
  });
  const node = (
    opType: string,
    input: string[],
    output: string,
    attribute: NodeProto['attribute'] = [],
  ): NodeProto => ({
    opType,
    name: p(`${output}_node`),
    input,
    output: [p(output)],
    attribute,
  });
  const cast = (input: string, output: string) => node('Cast', [input], output, [{ name: 'to', type: INT, i: FLOAT }]);
  const axesInput = opset >= 13;
  const withAxes = (opType: string, input: string, output: string, axis: number, keepdims: number): NodeProto =>
    axesInput
      ? node(opType, [input, p(`axis${axis}`)], output, [{ name: 'keepdims', type: INT, i: keepdims }])
      : node(opType, [input], output, [
          { name: 'axes', type: INTS, ints: [axis] },
          { name: 'keepdims', type: INT, i: keepdims },
        ]);
  const axes = axesInput ? [integers('axis1', [1], 1)] : [];

  if (pooling === 'cls') {
    // A scalar index takes the axis away with it.
    return {
      nodes: [node('Gather', [hidden, p('first')], 'pooled', [{ name: 'axis', type: INT, i: 1 }])],
      initializers: [integers('first', [], 0)],
    };
  }
  // `[rows, tokens]` to `[rows, tokens, 1]` by shape, which no opset does differently.
  const column = [
    cast('attention_mask', 'mask'),
    node('Shape', ['attention_mask'], 'shape'),
    node('Concat', [p('shape'), p('one')], 'column_shape', [{ name: 'axis', type: INT, i: 0 }]),
    node('Reshape', [p('mask'), p('column_shape')], 'column'),
  ];
  const one = integers('one', [1], 1);
  if (pooling === 'mean') {
    return {
      nodes: [
        ...column,
        node('Mul', [hidden, p('column')], 'masked'),
        withAxes('ReduceSum', p('masked'), 'sums', 1, 0),
        withAxes('ReduceSum', p('mask'), 'counts', 1, 1),
        node('Div', [p('sums'), p('counts')], 'pooled'),
      ],
      initializers: [...axes, one],
    };
  }
  // Padding is pushed below everything: hidden + (mask - 1) * 1e30. ReduceMax took its axes as an attribute until 18.
  const axesOfMax =
    opset >= 18
      ? node('ReduceMax', [p('lowered'), p('axis1')], 'pooled', [{ name: 'keepdims', type: INT, i: 0 }])
      : node('ReduceMax', [p('lowered')], 'pooled', [
          { name: 'axes', type: INTS, ints: [1] },
          { name: 'keepdims', type: INT, i: 0 },
        ]);
  return {
    nodes: [
      ...column,
      node('Sub', [p('column'), p('unit')], 'padding'),
      node('Mul', [p('padding'), p('far')], 'push'),
      node('Add', [hidden, p('push')], 'lowered'),
      axesOfMax,
    ],
    initializers: [...(opset >= 18 ? [integers('axis1', [1], 1)] : []), one, float('unit', 1), float('far', 1e30)],
  };
}

function floatOutput(name: string, dims: readonly (string | number)[]): ValueInfo {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: onnx.TensorProto.DataType.FLOAT, shape: { dim } } } };
}

function externalFiles(tensors: readonly TensorProto[]): Set<string> {
  const files = new Set<string>();
  for (const { externalData } of tensors) {
    const location = externalData?.find(({ key }) => key === 'location')?.value;
    if (location) files.add(basename(location));
  }
  return files;
}

/** Beside the copy, without a second copy of the bytes where the file system allows. */
async function bring(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await symlink(from, to);
  }
}
