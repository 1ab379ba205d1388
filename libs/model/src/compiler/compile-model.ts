import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootError, type Dtype } from '#contracts';
import { fileDigest } from '../file-digest.js';
import type { Provider } from '../provider.js';
import type { Manifest, ModelFiles, SourcedGraph } from '../types.js';
import type { Encoder } from './architectures/architecture.js';
import { COMPILER_VERSION } from './compiler-version.js';
import type { Head } from './heads/head.js';
import { floatLinear } from './layers/float-linear.js';
import { int8Linear } from './layers/int8-linear.js';
import { ExternalWeights } from './onnx/external-weights.js';
import { GraphBuilder } from './onnx/graph-builder.js';
import { inputsOf, readModel } from './onnx/found-graph.js';
import { buildOnce, GRAPH_FILE, WEIGHTS_FILE } from './onnx/graph-folder.js';
import { SafetensorsReader } from './weights/safetensors.js';

export interface CompileOptions {
  readonly dtype: Dtype;
  /** Folder in which compiled graphs are kept. */
  readonly modelDir: string;
  readonly head: Head;
  /** The provider that the graph is written for. Default: `cpu`. */
  readonly provider?: Provider;
}

const OUTPUT = 'embedding';

/**
 * Compiles a checkpoint to a graph of ONNX Runtime's fused operators. Inputs: int64 (for WebGPU int32) `input_ids` and
 * `attention_mask` `[rows, tokens]`, padded at the end, and `token_type_ids` if the head's inputs are pairs. Output:
 * float32 `[rows, width]`, not normalised. Compiled once: the folder's name is a digest of everything the graph depends on.
 * @throws BootError, one line, when a weight is missing
 */
export async function compileModel(
  files: ModelFiles,
  { architecture }: Manifest,
  encoder: Encoder,
  { dtype, modelDir, head, provider = 'cpu' }: CompileOptions,
): Promise<SourcedGraph> {
  const sources = [files.config, ...files.weights, ...head.sources];
  const digests = await Promise.all(sources.map((path) => fileDigest(path, modelDir)));
  const parts = [COMPILER_VERSION, digests, architecture, head.name, head.tokenTypes, dtype];
  const identity = JSON.stringify(provider === 'cpu' ? parts : [...parts, provider]);
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const folder = await buildOnce(modelDir, digest, (target) =>
    writeGraph(files, encoder, head, { dtype, provider }, target),
  );
  const onnxPath = join(folder, GRAPH_FILE);
  const width = head.width(encoder.hiddenSize);
  return { onnxPath, graph: { inputs: inputsOf(await readModel(onnxPath)), output: OUTPUT, width }, sources };
}

async function writeGraph(
  files: ModelFiles,
  encoder: Encoder,
  head: Head,
  { dtype, provider }: { dtype: Dtype; provider: Provider },
  folder: string,
): Promise<void> {
  const reader = await SafetensorsReader.open(files.weights);
  const external = await ExternalWeights.create(join(folder, WEIGHTS_FILE));
  try {
    const graph = new GraphBuilder(external, { half: dtype === 'fp16', provider });
    const linear = dtype === 'int8' ? int8Linear : floatLinear;
    const { hidden } = await encoder.build(graph, reader, { linear, tokenTypes: head.tokenTypes });
    graph.cast(OUTPUT, await head.build(graph, 'pooling', hidden), 'float');
    const model = graph.finish([{ name: OUTPUT, type: 'float', dims: ['rows', head.width(encoder.hiddenSize)] }]);
    await writeFile(join(folder, GRAPH_FILE), model);
  } catch (error) {
    if (error instanceof BootError) throw new BootError(`${files.source}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await external.close();
    await reader.close();
  }
}
