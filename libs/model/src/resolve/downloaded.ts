import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hubFolder, readComplete, unflat } from './hub.js';

/** A completely downloaded model of the hub. */
export interface DownloadedModel {
  /** `org/name`. */
  readonly id: string;
  /** Branch, tag or commit, as it was requested. */
  readonly revision: string;
  readonly commit: string;
  /** Dtype for which it was downloaded. */
  readonly dtype: string;
  /** Size of all its files. */
  readonly bytes: number;
}

/** Lists the models that were downloaded into a model folder, sorted by name. */
export async function downloadedModels(modelDir: string): Promise<DownloadedModel[]> {
  const hub = hubFolder(modelDir);
  const found: DownloadedModel[] = [];
  for (const name of await entriesOf(hub)) {
    for (const revision of await entriesOf(join(hub, name))) {
      const folder = join(hub, name, revision);
      for (const file of await entriesOf(folder)) {
        const dtype = /^complete-(\w+)\.json$/.exec(file)?.[1];
        const complete = dtype === undefined ? null : await readComplete(join(folder, file));
        if (dtype === undefined || complete === null) continue;
        const { commit, picked } = complete;
        const { dense, ...rest } = picked;
        const paths = [...Object.values(rest), ...dense.map(({ config }) => config), ...dense.map((one) => one.weights)]
          .flat()
          .filter((path) => typeof path === 'string');
        const sizes = await Promise.all(paths.map(async (path) => (await stat(join(folder, commit, path))).size));
        const bytes = sizes.reduce((sum, size) => sum + size, 0);
        found.push({ id: unflat(name), revision: unflat(revision), commit, dtype, bytes });
      }
    }
  }
  return found;
}

/** Sorted; empty when there is no such folder. */
async function entriesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return entries.sort();
}
