import { createHash } from 'node:crypto';
import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import { BootError } from '#contracts';
import { dimensionsOf } from '../dense-modules.js';
import { fileDigest } from '../file-digest.js';
import { type AdoptedGraph, type GraphInterface, type Manifest, type ModelFiles, PROMPT_TOKENS } from '../types.js';
import { COMPILER_VERSION } from './compiler-version.js';
import { type FoundModel, readFoundModel } from './found-model.js';
import type { Head } from './heads/head.js';
import { poolingModes } from './heads/pooling.js';
import { inlineWeights } from './onnx/external-weights.js';
import { inputsOf, opsetOf, type OnnxModel } from './onnx/found-graph.js';
import { GraphBuilder, valueInfo } from './onnx/graph-builder.js';
import { buildOnce, GRAPH_FILE } from './onnx/graph-folder.js';
import { type ChosenOutput, onceChosen } from './onnx/graph-output.js';
import { tryGraph } from './onnx/try-graph.js';

const { onnx } = onnxProto;

/** Name of the added output; it must not occur in a found graph. */
const OUTPUT = 'embedmill_pooled';
const MASK = 'attention_mask';
/** Heads are made of operators in the form that they have from this version on. */
const LEAST_OPSET = 11;

export interface AdoptOptions {
  /** Folder in which graphs with an added head are kept. */
  readonly modelDir: string;
  /** Added to a graph that ends at the hidden states. */
  readonly head: Head;
}

/**
 * Uses an ONNX graph as found. If it outputs one vector of floats per text, it is used in place; if it ends at the hidden
 * states, or its vectors are of another type, a copy is made, once, with the head or a conversion appended.
 * @throws BootError when its inputs or outputs are not supported
 */
export async function adoptOnnx(
  files: ModelFiles,
  manifest: Manifest,
  path: string,
  { modelDir, head }: AdoptOptions,
): Promise<AdoptedGraph> {
  const found = await readFoundModel(files, manifest, path);
  const { external, maxTokens, model, outputs } = found;
  let chosen = found.choose(outputs);
  if (chosen === 'unclear') {
    const seen = await tryGraph(path, found.inputs, { firstPosition: manifest.firstPosition, source: files.source });
    chosen = found.choose(seen);
    if (chosen === 'unclear') throw new BootError(`${files.source}: the outputs of its ONNX graph have no size`);
  }
  const graphFiles = [path, ...external.map((file) => join(dirname(path), file))];
  const once = onceChosen(outputs, chosen);
  const warnings = [...found.warnings];
  if (chosen.kind === 'pooled' && files.overrides.pooling !== undefined) {
    warnings.push(
      `${files.source}: its ONNX graph pools by itself ("${chosen.name}"): the setting of pooling changes nothing`,
    );
  }
  const adopted = { maxTokens, warnings, extras: once === null ? {} : { output: chosen.name } };
  if (chosen.kind === 'pooled' && chosen.type === 'FLOAT') {
    const graph = interfaceOf(found, manifest, chosen.name, chosen.width);
    return { ...adopted, onnxPath: path, graph, sources: graphFiles };
  }

  const added = chosen.kind === 'hidden' ? head : null;
  if (added !== null && opsetOf(model) < LEAST_OPSET) {
    throw new BootError(
      `${files.source}: its ONNX graph is of opset ${opsetOf(model)}; pooling is added to graphs of opset ${LEAST_OPSET} and later`,
    );
  }
  if (added !== null) dimensionsOf(files.source, poolingModes(manifest.pooling).length * chosen.width, manifest.dense);
  const sources = [...graphFiles, ...(added?.sources ?? [])];
  const identity = JSON.stringify([
    added === null ? 'float' : 'head',
    COMPILER_VERSION,
    await Promise.all(sources.map((file) => fileDigest(file, modelDir))),
    chosen.name,
    added?.name,
  ]);
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const width = added?.width(chosen.width) ?? chosen.width;
  const folder = await buildOnce(modelDir, digest, async (target) => {
    await addOutput(model, chosen, added, width);
    for (const file of external) await bring(join(dirname(path), file), join(target, file));
    await writeFile(join(target, GRAPH_FILE), onnx.ModelProto.encode(model).finish());
  });
  const graph = interfaceOf(found, manifest, OUTPUT, width);
  const inputs = [
    ...graph.inputs,
    ...(graph.inputs.includes(MASK) || added === null ? [] : [MASK]),
    ...(manifest.includePrompt || added === null ? [] : [PROMPT_TOKENS]),
  ];
  return { ...adopted, onnxPath: join(folder, GRAPH_FILE), graph: { ...graph, inputs }, sources };
}

function interfaceOf(
  { inputs: { extraInputs, inputs, tokens }, rows }: FoundModel,
  { firstPosition, padTokenId }: Manifest,
  output: string,
  width: number,
): GraphInterface {
  return {
    inputs,
    output,
    width,
    ...(extraInputs.length === 0 ? {} : { extraInputs }),
    ...(inputs.includes('position_ids') && firstPosition !== 0 ? { firstPosition } : {}),
    ...(rows === null && tokens === null ? {} : { runShape: { rows, tokens, padId: padTokenId } }),
  };
}

/**
 * Appends a head, or only the conversion to float, to an output, in the graph's own opset. Its rows become the only
 * output. A graph without a mask gets one, for the head.
 */
async function addOutput(
  model: OnnxModel,
  { name, type }: ChosenOutput,
  head: Head | null,
  width: number,
): Promise<void> {
  const builder = new GraphBuilder(inlineWeights, { half: type === 'FLOAT16', opset: opsetOf(model) });
  const known = head === null || type === 'FLOAT' || type === 'FLOAT16';
  const value = known ? name : builder.cast('embedmill.hidden', name, 'float');
  builder.cast(OUTPUT, head === null ? value : await head.build(builder, 'embedmill.pooling', value), 'float');
  const graph = model.graph!;
  graph.node = [...(graph.node ?? []), ...builder.nodes];
  graph.initializer = [...(graph.initializer ?? []), ...builder.initializers];
  if (builder.inputs.includes(PROMPT_TOKENS)) {
    graph.input = [...(graph.input ?? []), valueInfo({ name: PROMPT_TOKENS, type: 'int64', dims: ['rows'] })];
  }
  graph.output = [valueInfo({ name: OUTPUT, type: 'float', dims: ['rows', width] })];
  if (head === null || inputsOf(model).includes(MASK)) return;
  graph.input = [...(graph.input ?? []), valueInfo({ name: MASK, type: 'int64', dims: ['rows', 'tokens'] })];
}

/** Hard-links a file, or symlinks it where that is not possible, so that its bytes are not copied. */
async function bring(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await link(from, to);
  } catch {
    await symlink(from, to);
  }
}
