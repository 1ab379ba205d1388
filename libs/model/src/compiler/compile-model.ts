import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootError, type Dtype } from '#contracts';
import { fileDigest } from '../file-digest.js';
import type { Manifest, ModelFiles, SourcedGraph } from '../types.js';
import { COMPILER_VERSION } from './compiler-version.js';
import { addEmbeddings } from './embeddings.js';
import { readEncoderConfig } from './encoder-config.js';
import { addEncoderLayer } from './encoder-layer.js';
import { EncoderWeights } from './encoder-weights.js';
import { ExternalWeights } from './external-weights.js';
import { GraphBuilder } from './graph-builder.js';
import { buildOnce, GRAPH_FILE, WEIGHTS_FILE } from './graph-folder.js';
import { addPooling } from './pooling.js';
import { SafetensorsReader } from './safetensors.js';

export interface CompileOptions {
  readonly dtype: Dtype;
  /** Where compiled graphs are kept. */
  readonly modelDir: string;
  /** L2-normalise inside the graph. Default false: the raw pooled vector. */
  readonly normalize?: boolean;
}

/**
 * Compiles a BERT or RoBERTa checkpoint to a graph of ONNX Runtime's fused operators: int64 `input_ids` and
 * `attention_mask` `[rows, tokens]` in, padded at the end; float32 `embedding` `[rows, dimensions]` out.
 * Compiled once: the folder's name is a digest of everything the graph depends on.
 * @throws BootError, one line, when the compiler cannot
 */
export async function compileModel(
  files: ModelFiles,
  manifest: Manifest,
  { dtype, modelDir, normalize = false }: CompileOptions,
): Promise<SourcedGraph> {
  const sources = [files.config, ...files.weights];
  const digests = await Promise.all(sources.map((path) => fileDigest(path, modelDir)));
  const identity = JSON.stringify([
    COMPILER_VERSION,
    digests,
    manifest.architecture,
    manifest.pooling,
    dtype,
    normalize,
  ]);
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const folder = await buildOnce(modelDir, digest, (target) => writeGraph(files, manifest, dtype, normalize, target));
  return {
    onnxPath: join(folder, GRAPH_FILE),
    graph: { inputs: ['input_ids', 'attention_mask'], output: 'embedding', width: manifest.dimensions },
    sources,
  };
}

async function writeGraph(
  files: ModelFiles,
  { architecture, dimensions, pooling }: Manifest,
  dtype: Dtype,
  normalize: boolean,
  folder: string,
): Promise<void> {
  const config = await readEncoderConfig(files.config);
  const reader = await SafetensorsReader.open(files.weights);
  const external = await ExternalWeights.create(join(folder, WEIGHTS_FILE));
  try {
    const weights = new EncoderWeights(reader);
    const graph = new GraphBuilder(external, { half: dtype === 'fp16' });
    const unusedPositions = architecture === 'roberta' ? (config.padTokenId ?? 1) + 1 : 0;
    const embedded = await addEmbeddings(graph, weights, config, unusedPositions);
    let { hidden } = embedded;
    for (let layer = 0; layer < config.layers; layer++) {
      const kind = dtype === 'int8' ? 'int8' : 'float';
      hidden = await addEncoderLayer(graph, weights, config, kind, layer, { hidden, lengths: embedded.lengths });
    }
    const pooled = graph.cast(normalize ? 'pooled32' : 'embedding', addPooling(graph, pooling, hidden), 'float');
    if (normalize) graph.node('LpNormalization', 'embedding', [pooled], { axis: -1, p: 2 });
    const model = graph.finish(
      [
        ['input_ids', 'int64', ['rows', 'tokens']],
        ['attention_mask', 'int64', ['rows', 'tokens']],
      ],
      [['embedding', 'float', ['rows', dimensions]]],
    );
    await writeFile(join(folder, GRAPH_FILE), model);
  } catch (error) {
    if (error instanceof BootError) throw new BootError(`${files.source}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await external.close();
    await reader.close();
  }
}
