import { readFile } from 'node:fs/promises';
import type { Dtype, ServedModel } from '#contracts';
import { adoptOnnx, compileModel, denseHead, poolingHead } from './compiler/index.js';
import { dtypeFor } from './dtype-for.js';
import { fingerprint } from './fingerprint.js';
import { readManifest } from './manifest.js';
import { chooseDriver } from './tokenizer/drivers/choose-driver.js';
import { resolveModel, type ResolveOptions } from './resolve/resolve-model.js';
import type { Manifest, ModelFiles, RunnableModel, SourcedGraph, TokenizerFiles } from './types.js';

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
  const tokenizerFiles = await readTokenizer(files);
  const driver = await chooseDriver(tokenizerFiles);
  const { sources, ...built } = await buildGraph(files, manifest, dtype, options.modelDir);
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
      ),
      source: files.source,
      dtype,
      maxTokens: manifest.maxTokens,
      prompts: { ...manifest.prompts },
      operations: {
        embed: {
          dimensions: built.graph.width,
          pooling: manifest.pooling,
          normalize: manifest.normalize,
          matryoshka: [...manifest.matryoshka],
        },
      },
      createdAt: Date.now(),
    },
    tokenizerFiles,
  };
}

async function readTokenizer({ tokenizer, tokenizerConfig }: ModelFiles): Promise<TokenizerFiles> {
  const json = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as unknown;
  return { tokenizer: await json(tokenizer), config: tokenizerConfig === null ? {} : await json(tokenizerConfig) };
}

function buildGraph(files: ModelFiles, manifest: Manifest, dtype: Dtype, modelDir: string): Promise<SourcedGraph> {
  const head = denseHead(poolingHead(manifest.pooling), manifest.dense);
  if (manifest.encoder !== null) return compileModel(files, manifest, manifest.encoder, { dtype, modelDir, head });
  if (files.onnx !== null) return adoptOnnx(files, manifest, files.onnx, { modelDir, head });
  throw new Error(`${files.source}: a manifest without encoder needs an ONNX file`);
}
