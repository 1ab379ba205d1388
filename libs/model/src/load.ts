import { readFile } from 'node:fs/promises';
import type { Dtype, ServedModel } from '#contracts';
import { adoptOnnx, compileModel, denseHead, poolingHead } from './compiler/index.js';
import { dtypeFor } from './dtype-for.js';
import { fingerprint } from './fingerprint.js';
import { readManifest } from './manifest.js';
import { resolveModel, type ResolveOptions } from './resolve/resolve-model.js';
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
  const { sources, ...built } = await buildGraph(files, manifest, dtype, options.modelDir);
  return {
    ...built,
    padTokenId: manifest.padTokenId,
    warnings: manifest.warnings,
    card: {
      name: served.name,
      fingerprint: await fingerprint(files, sources, manifest, dtype, options.modelDir),
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
    tokenizerFiles: {
      tokenizer: JSON.parse(await readFile(files.tokenizer, 'utf8')) as unknown,
      config:
        files.tokenizerConfig === null ? {} : (JSON.parse(await readFile(files.tokenizerConfig, 'utf8')) as unknown),
    },
  };
}

function buildGraph(files: ModelFiles, manifest: Manifest, dtype: Dtype, modelDir: string): Promise<SourcedGraph> {
  const head = denseHead(poolingHead(manifest.pooling), manifest.dense);
  if (manifest.encoder !== null) return compileModel(files, manifest, manifest.encoder, { dtype, modelDir, head });
  if (files.onnx !== null) return adoptOnnx(files, manifest, files.onnx, { modelDir, head });
  throw new Error(`${files.source}: a manifest without encoder needs an ONNX file`);
}
