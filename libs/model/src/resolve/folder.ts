import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { BootError, type Dtype } from '#contracts';
import type { ManifestOverrides, ModelFiles } from '../types.js';
import { TO_JSON } from '../tokenizer/to-json.js';
import { readLayout } from './layout.js';
import { requireNoPointers } from '../config/lfs-pointer.js';
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
  const picked = pickFiles(listing, dtype, await readLayout(root, listing));
  const files = locate(root, picked, { source, dtype, overrides });
  const dense = files.dense.map(({ weights }) => weights);
  const heavy = [files.tokenizer, ...files.weights, files.onnx, ...dense].filter((path) => path !== null);
  await requireNoPointers(heavy);
  return files;
}

/** Turns picked paths into a model's files. @throws BootError when a file that every model needs is missing */
export function locate(
  root: string,
  picked: PickedFiles,
  { dtype, overrides, source }: { source: string; dtype: Dtype; overrides: ManifestOverrides },
): ModelFiles {
  const at = (path: string | null) => (path === null ? null : join(root, path));
  if (picked.adapter) {
    throw new BootError(
      `${at(picked.adapter)}: the model is an adapter, which Embedmill does not add to its base model: merge the two ` +
        '(merge_and_unload of the library peft) and save the result',
    );
  }
  const { config, tokenizer, isStatic } = picked;
  const missing = [
    config === null && !isStatic && 'config.json',
    tokenizer === null && 'tokenizer.json',
    picked.weights.length === 0 &&
      picked.onnx === null &&
      `weights (*.safetensors, pytorch_model.bin, or an ONNX file for ${dtype})`,
  ].filter((name) => name !== false);
  if (tokenizer === null || missing.length > 0) {
    const way = tokenizer === null ? `; ${TO_JSON}` : '';
    throw new BootError(`${source}: no ${missing.join(', no ')}${way}`);
  }
  return {
    source,
    isStatic,
    config: at(config),
    tokenizer: join(root, tokenizer),
    tokenizerConfig: at(picked.tokenizerConfig),
    weights: picked.weights.map((path) => join(root, path)),
    onnx: at(picked.onnx),
    modules: at(picked.modules),
    pooling: at(picked.pooling),
    // Records of downloads by earlier versions have none of these.
    specialTokensMap: at(picked.specialTokensMap ?? null),
    addedTokens: at(picked.addedTokens ?? null),
    head: at(picked.head ?? null),
    dense: picked.dense.map(({ folder, config: denseConfig, weights }) => ({
      folder,
      config: join(root, denseConfig),
      weights: at(weights),
    })),
    sentenceBert: at(picked.sentenceBert),
    sentenceTransformers: at(picked.sentenceTransformers),
    overrides,
    dtype,
    warnings: [],
  };
}

/** Folders between a model's root, or that of its package, and its deepest file: `model/0_Transformer/onnx/`. */
const DEEPEST = 3;

/** Relative paths, forward slashes, of all files; hidden folders and packages are left out. */
async function list(folder: string, source: string): Promise<string[]> {
  const paths: string[] = [];
  const walk = async (at: string, depth: number): Promise<void> => {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (!entry.isDirectory()) paths.push(path);
      else if (depth < DEEPEST && !/^\.|^node_modules$/.test(entry.name)) await walk(path, depth + 1);
    }
  };
  try {
    await walk(folder, 0);
  } catch (error) {
    throw new BootError(`${source}: ${(error as Error).message}`, { cause: error });
  }
  return paths.map((path) => relative(folder, path).split(sep).join('/'));
}
