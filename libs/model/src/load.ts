import { BootError, type Dtype, type ServedModel } from '#contracts';
import { adoptOnnx, compileModel, denseHead, poolingHead } from './compiler/index.js';
import type { Head } from './compiler/heads/head.js';
import { deviceMemory } from './device-memory.js';
import { type DtypeChoice, dtypeFor, requireDtype } from './dtype-for.js';
import { fingerprint } from './fingerprint.js';
import { longPrompts } from './long-prompts.js';
import { readManifest } from './manifest.js';
import { providerOf } from './provider.js';
import { chooseDriver } from './tokenizer/drivers/choose-driver.js';
import { resolveModel, type ResolveOptions } from './resolve/resolve-model.js';
import { readTokenizer } from './tokenizer/tokenizer-settings.js';
import type { AdoptedGraph, GraphInterface, Manifest, ModelFiles, RunnableModel } from './types.js';

export interface LoadOptions extends Omit<ResolveOptions, keyof DtypeChoice> {
  /** Default: fp32 on `cpu`, fp16 on other devices, or what the model has of the two. */
  readonly dtype?: Dtype | undefined;
  /** `cpu`, `cuda:N` or `webgpu`. */
  readonly device: string;
  /** What attention may take of the device's memory, bytes. Default: `deviceMemory`'s. */
  readonly deviceMemory?: number | undefined;
}

/**
 * Loads a served model: finds or downloads its files, and compiles its graph or uses its ONNX file.
 * @throws BootError, one line
 */
export async function loadModel(served: ServedModel, options: LoadOptions): Promise<RunnableModel> {
  const { driver, files, manifest, tokenizer } = await readSmallFiles(served, options);
  const { dtype, overrides, source } = files;
  const built = await buildGraph(files, manifest, options);
  const { maxTokens, sources } = built;
  const { attention, defaultPrompt, instruction, padTokenId, truncateDim } = manifest;
  const { rowsPerBatch } = overrides;
  const graph: GraphInterface =
    rowsPerBatch === undefined || built.graph.runShape !== undefined
      ? built.graph
      : { ...built.graph, runShape: { rows: rowsPerBatch, tokens: null, padId: padTokenId } };
  const warnings = [
    ...files.warnings,
    ...manifest.warnings,
    ...built.warnings,
    ...(await longPrompts(manifest.prompts, maxTokens, tokenizer.files, source)),
  ];
  return {
    onnxPath: built.onnxPath,
    graph,
    padTokenId,
    attention,
    takesEmpty: manifest.takesEmpty,
    warnings: driver.warning === null ? warnings : [...warnings, driver.warning],
    card: {
      name: served.name,
      fingerprint: await fingerprint(
        files,
        sources,
        { ...manifest, dimensions: graph.width, maxTokens },
        dtype,
        { files: tokenizer.files, driver: driver.name },
        options.modelDir,
        {
          ...tokenizer.changes,
          ...built.extras,
          ...(manifest.includePrompt ? {} : { includePrompt: false }),
          ...(manifest.task === null ? {} : { task: manifest.task }),
          ...(rowsPerBatch === undefined ? {} : { rowsPerBatch }),
        },
      ),
      source,
      dtype,
      maxTokens,
      prompts: { ...manifest.prompts },
      ...(defaultPrompt === null ? {} : { defaultPrompt }),
      ...(tokenizer.truncate === 'end' ? {} : { truncate: tokenizer.truncate }),
      ...(instruction === null ? {} : { instruction }),
      operations: {
        embed: {
          dimensions: graph.width,
          pooling: manifest.pooling,
          normalize: manifest.normalize,
          matryoshka: [...manifest.matryoshka],
          ...(truncateDim === null || truncateDim >= graph.width ? {} : { defaultDimensions: truncateDim }),
        },
      },
      createdAt: Date.now(),
    },
    tokenizerFiles: tokenizer.files,
  };
}

/** A model's files, and what all of them but the weights say. */
export interface SmallFiles {
  readonly files: ModelFiles;
  readonly manifest: Manifest;
  readonly tokenizer: Awaited<ReturnType<typeof readTokenizer>>;
  readonly driver: Awaited<ReturnType<typeof chooseDriver>>;
}

/** Finds a model's files, and reads all that decides whether and how it runs. @throws BootError, one line */
export async function readSmallFiles(served: ServedModel, options: LoadOptions): Promise<SmallFiles> {
  const files = await resolveModel(served, { ...options, ...dtypeFor(options.device, options.dtype) });
  const manifest = await readManifest(files, deviceMemory(options.device, options.deviceMemory));
  requireDtype(manifest, files.dtype, files.source);
  const tokenizer = await readTokenizer(files, manifest);
  return { files, manifest, tokenizer, driver: await chooseDriver(tokenizer.files) };
}

async function buildGraph(
  files: ModelFiles,
  manifest: Manifest,
  { device, modelDir }: LoadOptions,
): Promise<AdoptedGraph> {
  const head = denseHead(poolingHead(manifest.pooling, manifest.includePrompt), manifest.dense);
  const { dtype, onnx, source } = files;
  if (manifest.encoder !== null) {
    const options = { dtype, modelDir, provider: providerOf(device), head };
    const compiled = await compileModel(files, manifest, manifest.encoder, options);
    return { ...compiled, maxTokens: manifest.maxTokens, warnings: [] };
  }
  if (onnx !== null) return adoptOnnx(files, manifest, onnx, { modelDir, head: known(head, manifest.poolingUnknown) });
  throw new Error(`${source}: a manifest without encoder needs an ONNX file`);
}

/** A head that may not be added to a graph where the pooling is only a guess. A graph that pools itself needs none. */
function known(head: Head, unknown: string | null): Head {
  if (unknown === null) return head;
  const refuse = () => {
    throw new BootError(unknown);
  };
  return { ...head, build: refuse, width: refuse };
}
