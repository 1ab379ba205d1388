import { existsSync } from 'node:fs';
import { BootError, type Dtype, dtypeSchema, type Pooling, type ServedModel } from '#contracts';
import { readFoundModel } from './compiler/found-model.js';
import { poolingModes } from './compiler/index.js';
import { type LoadOptions, readSmallFiles } from './load.js';
import { longPrompts } from './long-prompts.js';
import type { Manifest, ModelFiles } from './types.js';

/** How a model would run. */
export interface ModelCheck {
  readonly source: string;
  /** Whether its graph is compiled from its weights, or found as an ONNX file. */
  readonly graph: 'compiled' | 'onnx';
  /** False for an ONNX file that is not downloaded: whether its inputs and outputs can be used is not known. */
  readonly graphRead: boolean;
  /** The compiler's name for it, or `other`. */
  readonly architecture: string;
  readonly dtype: Dtype;
  /** Others in which it runs on this device. */
  readonly otherDtypes: readonly Dtype[];
  /** null: its ONNX file pools by itself. */
  readonly pooling: Pooling | null;
  readonly normalize: boolean;
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPrompt: string | null;
  readonly instruction: string | null;
  readonly maxTokens: number;
  /** Those that its small files give if the ONNX file was not read. null: known only after a run of that file. */
  readonly dimensions: number | null;
  readonly matryoshka: readonly number[];
  /** One line each. */
  readonly warnings: readonly string[];
}

/**
 * Decides as `loadModel` does whether a model runs, but from its small files only: nothing is compiled, and of a model on
 * the hub, neither weights nor ONNX files are downloaded.
 * @throws BootError, the one that `loadModel` would throw
 */
export async function checkModel(served: ServedModel, options: LoadOptions): Promise<ModelCheck> {
  const checked = await check(served, options);
  const otherDtypes: Dtype[] = [];
  for (const dtype of dtypeSchema.options) {
    if (dtype !== checked.dtype && (await runsIn(dtype, served, options))) otherDtypes.push(dtype);
  }
  return { ...checked, otherDtypes };
}

async function runsIn(dtype: Dtype, served: ServedModel, options: LoadOptions): Promise<boolean> {
  try {
    await check(served, { ...options, dtype });
    return true;
  } catch (error) {
    if (error instanceof BootError) return false;
    throw error;
  }
}

async function check(served: ServedModel, options: LoadOptions): Promise<Omit<ModelCheck, 'otherDtypes'>> {
  const { driver, files, manifest, tokenizer } = await readSmallFiles(served, { ...options, withoutWeights: true });
  const graph = await checkGraph(files, manifest);
  const long = await longPrompts(manifest.prompts, graph.maxTokens, tokenizer.files, files.source);
  const warnings = [...files.warnings, ...manifest.warnings, ...graph.warnings, ...long];
  return {
    source: files.source,
    architecture: manifest.architecture,
    dtype: files.dtype,
    normalize: manifest.normalize,
    prompts: manifest.prompts,
    defaultPrompt: manifest.defaultPrompt,
    instruction: manifest.instruction,
    matryoshka: manifest.matryoshka,
    ...graph,
    warnings: driver.warning === null ? warnings : [...warnings, driver.warning],
  };
}

type CheckedGraph = Pick<ModelCheck, 'dimensions' | 'graph' | 'graphRead' | 'maxTokens' | 'pooling' | 'warnings'>;

async function checkGraph(files: ModelFiles, manifest: Manifest): Promise<CheckedGraph> {
  const { dense, dimensions, maxTokens, pooling, poolingUnknown } = manifest;
  const asRead = { dimensions, maxTokens, pooling, warnings: [] };
  if (manifest.encoder !== null) return { ...asRead, graph: 'compiled', graphRead: true };
  const { onnx } = files;
  if (onnx === null || !existsSync(onnx)) return { ...asRead, graph: 'onnx', graphRead: false };
  const found = await readFoundModel(files, manifest, onnx);
  const chosen = found.choose(found.outputs);
  const ofGraph = { graph: 'onnx', graphRead: true, maxTokens: found.maxTokens, warnings: found.warnings } as const;
  if (chosen === 'unclear') return { ...ofGraph, pooling, dimensions: null };
  if (chosen.kind === 'pooled') return { ...ofGraph, pooling: null, dimensions: chosen.width };
  if (poolingUnknown !== null) throw new BootError(poolingUnknown);
  const width = dense.at(-1)?.outputs ?? poolingModes(pooling).length * chosen.width;
  return { ...ofGraph, pooling, dimensions: width };
}
