import { BootError, type Dtype, type ServedModel } from '#contracts';
import { adoptOnnx, compileModel, denseHead, poolingHead } from './compiler/index.js';
import type { Head } from './compiler/heads/head.js';
import { dtypeFor } from './dtype-for.js';
import { fingerprint } from './fingerprint.js';
import { readManifest } from './manifest.js';
import { type Provider, providerOf } from './provider.js';
import { chooseDriver } from './tokenizer/drivers/choose-driver.js';
import { resolveModel, type ResolveOptions } from './resolve/resolve-model.js';
import { readTokenizer } from './tokenizer/tokenizer-settings.js';
import type { Manifest, ModelFiles, RunnableModel, SourcedGraph } from './types.js';

export interface LoadOptions extends Omit<ResolveOptions, 'dtype'> {
  /** Default: fp32 on `cpu`, fp16 on other devices. */
  readonly dtype?: Dtype | undefined;
  /** `cpu`, `cuda:N` or `webgpu`. */
  readonly device: string;
}

/**
 * Loads a served model: finds or downloads its files, and compiles its graph or uses its ONNX file.
 * @throws BootError, one line
 */
export async function loadModel(served: ServedModel, options: LoadOptions): Promise<RunnableModel> {
  const dtype = dtypeFor(options.device, options.dtype);
  const files = await resolveModel(served, { ...options, dtype });
  const manifest = await readManifest(files);
  const { changes, files: tokenizerFiles } = await readTokenizer(files, manifest);
  const driver = await chooseDriver(tokenizerFiles);
  const { sources, ...built } = await buildGraph(files, manifest, {
    dtype,
    modelDir: options.modelDir,
    provider: providerOf(options.device),
  });
  const { defaultPrompt, instruction, truncateDim } = manifest;
  return {
    ...built,
    padTokenId: manifest.padTokenId,
    warnings: driver.warning === null ? manifest.warnings : [...manifest.warnings, driver.warning],
    card: {
      name: served.name,
      fingerprint: await fingerprint(
        files,
        sources,
        manifest,
        dtype,
        { files: tokenizerFiles, driver: driver.name },
        options.modelDir,
        changes,
      ),
      source: files.source,
      dtype,
      maxTokens: manifest.maxTokens,
      prompts: { ...manifest.prompts },
      ...(defaultPrompt === null ? {} : { defaultPrompt }),
      ...(instruction === null ? {} : { instruction }),
      operations: {
        embed: {
          dimensions: built.graph.width,
          pooling: manifest.pooling,
          normalize: manifest.normalize,
          matryoshka: [...manifest.matryoshka],
          ...(truncateDim === null || truncateDim >= built.graph.width ? {} : { defaultDimensions: truncateDim }),
        },
      },
      createdAt: Date.now(),
    },
    tokenizerFiles,
  };
}

function buildGraph(
  files: ModelFiles,
  manifest: Manifest,
  { dtype, modelDir, provider }: { dtype: Dtype; modelDir: string; provider: Provider },
): Promise<SourcedGraph> {
  const head = denseHead(poolingHead(manifest.pooling), manifest.dense);
  const { encoder } = manifest;
  if (encoder !== null) return compileModel(files, manifest, encoder, { dtype, modelDir, provider, head });
  const { onnx } = files;
  if (onnx !== null) return adoptOnnx(files, manifest, onnx, { modelDir, head: known(head, manifest.poolingUnknown) });
  throw new Error(`${files.source}: a manifest without encoder needs an ONNX file`);
}

/** A head that may not be added to a graph where the pooling is only a guess. A graph that pools itself needs none. */
function known(head: Head, unknown: string | null): Head {
  if (unknown === null) return head;
  const refuse = () => {
    throw new BootError(unknown);
  };
  return { ...head, build: refuse, width: refuse };
}
