import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { BootError, type Dtype } from '#contracts';
import type { ManifestOverrides, ModelFiles } from '../types.js';
import { pickFiles, type PickedFiles } from './pick-files.js';

/**
 * Finds a model's files in a folder, or in its subfolder `model`.
 * @param source name of the model's source, for messages
 * @throws BootError when a file that every model needs is missing
 */
export async function filesInFolder(
  folder: string,
  source: string,
  dtype: Dtype,
  overrides: ManifestOverrides = {},
): Promise<ModelFiles> {
  let root = folder;
  let listing = await list(folder, source);
  if (!listing.includes('config.json') && listing.includes('model/config.json')) {
    root = join(folder, 'model');
    listing = listing.filter((path) => path.startsWith('model/')).map((path) => path.slice('model/'.length));
  }
  return locate(root, pickFiles(listing, dtype), source, overrides);
}

/** Turns picked paths into a model's files. @throws BootError when a file that every model needs is missing */
export function locate(root: string, picked: PickedFiles, source: string, overrides: ManifestOverrides): ModelFiles {
  const at = (path: string | null) => (path === null ? null : join(root, path));
  const { config, tokenizer } = picked;
  const missing = [
    config === null && 'config.json',
    tokenizer === null && 'tokenizer.json',
    picked.weights.length === 0 && picked.onnx === null && 'weights (*.safetensors, or an ONNX file for this dtype)',
  ].filter((name) => name !== false);
  if (config === null || tokenizer === null || missing.length > 0) {
    throw new BootError(`${source}: no ${missing.join(', no ')}`);
  }
  return {
    source,
    config: join(root, config),
    tokenizer: join(root, tokenizer),
    tokenizerConfig: at(picked.tokenizerConfig),
    weights: picked.weights.map((path) => join(root, path)),
    onnx: at(picked.onnx),
    modules: at(picked.modules),
    pooling: at(picked.pooling),
    dense: picked.dense.map(({ folder, config: denseConfig, weights }) => ({
      folder,
      config: join(root, denseConfig),
      weights: at(weights),
    })),
    sentenceBert: at(picked.sentenceBert),
    sentenceTransformers: at(picked.sentenceTransformers),
    overrides,
  };
}

/** Relative paths, forward slashes, of files at most one folder down, and in the subfolder `model` at most two. */
async function list(folder: string, source: string): Promise<string[]> {
  const paths: string[] = [];
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const inner = entry.isDirectory() ? await readdir(path, { withFileTypes: true }) : [];
      if (!entry.isDirectory()) paths.push(path);
      for (const file of inner) if (!file.isDirectory()) paths.push(join(path, file.name));
      if (entry.name !== 'model') continue;
      for (const deeper of inner.filter((one) => one.isDirectory())) {
        const below = await readdir(join(path, deeper.name), { withFileTypes: true });
        for (const file of below) if (!file.isDirectory()) paths.push(join(path, deeper.name, file.name));
      }
    }
  } catch (error) {
    throw new BootError(`${source}: ${(error as Error).message}`, { cause: error });
  }
  return paths.map((path) => relative(folder, path).split(sep).join('/'));
}
