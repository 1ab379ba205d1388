import { createHash } from 'node:crypto';
import { link, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import { BootError } from '#contracts';
import { fileDigest } from '../file-digest.js';
import { type Manifest, type ModelFiles, PROMPT_TOKENS, type SourcedGraph } from '../types.js';
import { COMPILER_VERSION } from './compiler-version.js';
import type { Head } from './heads/head.js';
import { inlineWeights } from './onnx/external-weights.js';
import { externalFilesOf, inputsOf, opsetOf, outputOf, readModel, type OnnxModel } from './onnx/found-graph.js';
import { GraphBuilder, valueInfo } from './onnx/graph-builder.js';
import { buildOnce, GRAPH_FILE } from './onnx/graph-folder.js';

const { onnx } = onnxProto;

/** Names of outputs with one vector per text, in order of preference. */
const POOLED = ['sentence_embedding', 'embedding', 'embeddings', 'text_embeds'];
/** Output of BERT's own head, which is not the model's pooling. */
const NEVER_POOLED = ['pooler_output'];
/** Names of outputs with one vector per token, in order of preference. */
const HIDDEN = ['last_hidden_state', 'token_embeddings', 'hidden_states'];
const INPUTS = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];

/** Name of the added output; it must not occur in a found graph. */
const OUTPUT = 'embedmill_pooled';

export interface AdoptOptions {
  /** Folder in which graphs with an added head are kept. */
  readonly modelDir: string;
  /** Added to a graph that ends at the hidden states. */
  readonly head: Head;
}

/**
 * Uses an ONNX graph as found. If it outputs one vector per text, it is used in place; if it ends at the hidden states,
 * a copy with the head appended is made, once.
 * @throws BootError when its inputs or outputs are not supported
 */
export async function adoptOnnx(
  files: ModelFiles,
  manifest: Manifest,
  path: string,
  { modelDir, head }: AdoptOptions,
): Promise<SourcedGraph> {
  const model = await readModel(path);
  const inputs = inputsOf(model);
  const unknown = inputs.find((name) => !INPUTS.includes(name));
  if (unknown !== undefined) throw new BootError(`${files.source}: its ONNX graph wants an input "${unknown}"`);
  if (inputs.includes('position_ids') && manifest.firstPosition !== 0) {
    throw new BootError(
      `${files.source}: its ONNX graph wants position_ids, which are given from 0; this model's begin at ${manifest.firstPosition}`,
    );
  }

  const external = externalFilesOf(model);
  const graphFiles = [path, ...external.map((file) => join(dirname(path), file))];
  const pooled = outputOf(model, POOLED, 2, NEVER_POOLED);
  if (pooled !== null) {
    return {
      onnxPath: path,
      graph: { inputs, output: pooled.name ?? '', width: manifest.dimensions },
      sources: graphFiles,
    };
  }

  const hidden = outputOf(model, HIDDEN, 3, []);
  if (hidden === null) {
    const names = (model.graph?.output ?? []).map(({ name }) => `"${name}"`).join(', ');
    throw new BootError(`${files.source}: its ONNX graph gives ${names}, neither a pooled vector nor hidden states`);
  }
  const sources = [...graphFiles, ...head.sources];
  const identity = JSON.stringify([
    'head',
    COMPILER_VERSION,
    await Promise.all(sources.map((file) => fileDigest(file, modelDir))),
    hidden.name,
    head.name,
  ]);
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const width = head.width(manifest.hiddenSize);
  const folder = await buildOnce(modelDir, digest, async (target) => {
    const half = hidden.type?.tensorType?.elemType === onnx.TensorProto.DataType.FLOAT16;
    const needed = await addHead(model, head, { hidden: hidden.name ?? '', half, width });
    const missing = needed.find((name) => !inputs.includes(name) && name !== PROMPT_TOKENS);
    if (missing !== undefined) {
      throw new BootError(
        `${files.source}: its ONNX graph has no input "${missing}", which its head (${head.name}) needs`,
      );
    }
    for (const file of external) await bring(join(dirname(path), file), join(target, file));
    await writeFile(join(target, GRAPH_FILE), onnx.ModelProto.encode(model).finish());
  });
  const onnxPath = join(folder, GRAPH_FILE);
  return { onnxPath, graph: { inputs: inputsOf(await readModel(onnxPath)), output: OUTPUT, width }, sources };
}

/**
 * Appends a head to the hidden states, in the graph's own opset. Its rows become the only output.
 * @returns names of the inputs that the head needs
 */
async function addHead(
  model: OnnxModel,
  head: Head,
  { hidden, half, width }: { hidden: string; half: boolean; width: number },
): Promise<readonly string[]> {
  const builder = new GraphBuilder(inlineWeights, { half, opset: opsetOf(model) });
  builder.cast(OUTPUT, await head.build(builder, 'embedmill.pooling', hidden), 'float');
  const graph = model.graph!;
  graph.node = [...(graph.node ?? []), ...builder.nodes];
  graph.initializer = [...(graph.initializer ?? []), ...builder.initializers];
  if (builder.inputs.includes(PROMPT_TOKENS)) {
    graph.input = [...(graph.input ?? []), valueInfo({ name: PROMPT_TOKENS, type: 'int64', dims: ['rows'] })];
  }
  graph.output = [valueInfo({ name: OUTPUT, type: 'float', dims: ['rows', width] })];
  return builder.inputs;
}

/** Hard-links a file, or symlinks it where that is not possible, so that its bytes are not copied. */
async function bring(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await symlink(from, to);
  }
}
