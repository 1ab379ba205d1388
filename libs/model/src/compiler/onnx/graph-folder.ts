import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../file-lock.js';

export const GRAPH_FILE = 'model.onnx';
export const WEIGHTS_FILE = 'weights.bin';

/**
 * The folder of a graph, built unless it is there. It appears complete or not at all; processes that want the same one
 * at once wait for the first.
 * @param digest of everything the graph depends on
 */
export async function buildOnce(
  modelDir: string,
  digest: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const graphs = join(modelDir, 'graphs');
  const folder = join(graphs, digest);
  if (existsSync(folder)) return folder;
  await mkdir(graphs, { recursive: true });
  await withFileLock(folder, async () => {
    if (existsSync(folder)) return;
    const draft = `${folder}.${randomUUID()}`;
    await mkdir(draft);
    try {
      await build(draft);
      await rename(draft, folder);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      // A lock can be lost to a machine that slept; the folder is whole then, whoever made it.
      if (!existsSync(folder)) throw error;
    }
  });
  return folder;
}
