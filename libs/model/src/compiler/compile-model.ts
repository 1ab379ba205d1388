import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootError, type Dtype } from '#contracts';
import { fileDigest } from '../file-digest.js';
import type { Provider } from '../provider.js';
import { USUAL_TOKENS } from '../served-tokens.js';
import type { Manifest, ModelFiles, SourcedGraph } from '../types.js';
import type { BuildOptions, Encoder } from './architectures/architecture.js';
import { COMPILER_VERSION } from './compiler-version.js';
import type { CheckpointHead, Head, RowOf } from './heads/head.js';
import { floatLinear } from './layers/float-linear.js';
import { int8Linear } from './layers/int8-linear.js';
import type { Linear } from './layers/linear.js';
import { rowInt8Linear } from './layers/row-int8-linear.js';
import { ExternalWeights } from './onnx/external-weights.js';
import { GraphBuilder, type Value } from './onnx/graph-builder.js';
import { inputsOf, readModel } from './onnx/found-graph.js';
import { buildOnce, GRAPH_FILE, WEIGHTS_FILE } from './onnx/graph-folder.js';
import { WeightsReader } from './weights/weights-reader.js';

interface CompileOptions {
  readonly dtype: Dtype;
  /** Folder in which compiled graphs are kept. */
  readonly modelDir: string;
  /** Most tokens of a text. */
  readonly maxTokens: number;
  /** The provider that the graph is written for. Default: `cpu`. */
  readonly provider?: Provider;
}

/** Output of a graph with one head. */
const OUTPUT = 'embedding';

/**
 * Compiles a checkpoint with one head, which gives each input a row: float32 `[rows, width]`, not normalised.
 * @throws BootError, one line, when a weight is missing
 */
export async function compileModel(
  files: ModelFiles,
  { architecture, maxTokens }: Manifest,
  encoder: Encoder,
  { head, ...options }: Omit<CompileOptions, 'maxTokens'> & { readonly head: Head },
): Promise<SourcedGraph> {
  const { inputs, ...compiled } = await compileHeads(files, architecture, encoder, {
    ...options,
    maxTokens,
    heads: { [OUTPUT]: head },
  });
  return { ...compiled, graph: { inputs, output: OUTPUT, width: head.width(encoder.hiddenSize) } };
}

/** A compiled graph with the inputs that it has, and the absolute paths of the files that determine its numbers. */
export interface CompiledHeads {
  readonly onnxPath: string;
  readonly inputs: readonly string[];
  readonly sources: readonly string[];
  readonly extras: SourcedGraph['extras'];
}

/**
 * Compiles a checkpoint to a graph of ONNX Runtime's fused operators. Inputs: int64 (for WebGPU int32) `input_ids` and `attention_mask`
 * `[rows, tokens]`, padded at the end, and `token_type_ids` if a head's inputs are pairs and the family has types.
 * Compiled once: the folder's name is a digest of everything the graph depends on.
 * @param heads name of an output -> the head that gives it, as float32. All of them share the hidden states
 * @throws BootError, one line, when a weight is missing
 */
export async function compileHeads(
  files: ModelFiles,
  architecture: string,
  encoder: Encoder,
  {
    dtype,
    heads,
    maxTokens,
    modelDir,
    provider = 'cpu',
  }: CompileOptions & { readonly heads: Readonly<Record<string, CheckpointHead>> },
): Promise<CompiledHeads> {
  const all = Object.entries(heads);
  const tokenTypes = all.some(([, head]) => head.tokenTypes === 'input') ? 'input' : 'zero';
  const sources = [
    ...(files.config === null ? [] : [files.config]),
    ...files.weights,
    ...all.flatMap(([, head]) => head.sources),
  ];
  const digests = await Promise.all(sources.map((path) => fileDigest(path, modelDir)));
  const linear = linearOf(dtype, encoder.hiddenSize);
  const names = all.map(([output, { name }]) => (output === OUTPUT ? name : `${output}: ${name}`)).join(', ');
  const positions = positionsOf(encoder, maxTokens);
  const parts: unknown[] = [COMPILER_VERSION, digests, architecture, names, tokenTypes, dtype, linear.name];
  if (provider !== 'cpu') parts.push(provider);
  if (positions > USUAL_TOKENS) parts.push(positions);
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
  const folder = await buildOnce(modelDir, digest, (target) =>
    writeGraph(files, encoder, all, { half: dtype === 'fp16', linear, positions, provider, tokenTypes }, target),
  );
  const onnxPath = join(folder, GRAPH_FILE);
  const extras = linear === rowInt8Linear ? { linear: linear.name } : {};
  return { onnxPath, inputs: inputsOf(await readModel(onnxPath)), sources, extras };
}

/** A graph serves all lower limits as well, so that there is one for the usual ones. */
function positionsOf({ positions }: Encoder, maxTokens: number): number {
  // An encoder without positions has no tables of them.
  return positions === Infinity ? USUAL_TOKENS : Math.max(maxTokens, Math.min(positions, USUAL_TOKENS));
}

/** From this size on, products with a scale for each token are worth it: docs/compiler.md has the measurements. */
const ROWS_FROM_HIDDEN_SIZE = 768;

function linearOf(dtype: Dtype, hiddenSize: number): Linear {
  if (dtype !== 'int8') return floatLinear;
  return hiddenSize >= ROWS_FROM_HIDDEN_SIZE ? rowInt8Linear : int8Linear;
}

interface GraphForm extends BuildOptions {
  readonly half: boolean;
  readonly provider: Provider;
}

async function writeGraph(
  files: ModelFiles,
  encoder: Encoder,
  heads: readonly (readonly [output: string, head: CheckpointHead])[],
  { half, provider, ...options }: GraphForm,
  folder: string,
): Promise<void> {
  const reader = await WeightsReader.open(files.weights);
  const external = await ExternalWeights.create(join(folder, WEIGHTS_FILE));
  try {
    const graph = new GraphBuilder(external, { half, provider });
    const { hidden, words = null } = await encoder.build(graph, reader, options);
    const outputs: Value[] = [];
    for (const [output, head] of heads) {
      const at = output === OUTPUT ? 'pooling' : `${output}.head`;
      graph.cast(output, await head.build(graph, at, hidden, { weights: reader, words }), 'float');
      const width = head.width(encoder.hiddenSize);
      outputs.push({ name: output, type: 'float', dims: dimsOf(head.each ?? 'input', width) });
    }
    await writeFile(join(folder, GRAPH_FILE), graph.finish(outputs));
  } catch (error) {
    if (error instanceof BootError) throw new BootError(`${files.source}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await external.close();
    await reader.close();
  }
}

function dimsOf(each: RowOf, width: number): (string | number)[] {
  if (each === 'input') return ['rows', width];
  return ['rows', each === 'token' ? 'tokens' : 'tokens after the first', width];
}
