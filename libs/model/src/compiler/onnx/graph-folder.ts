import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../file-lock.js';

export const GRAPH_FILE = 'model.onnx';
export const WEIGHTS_FILE = 'weights.bin';

/**
 * Returns the folder of a graph, and builds it first if it does not exist. It appears only when complete; other
 * processes that need the same folder wait for the first one.
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
      // A process that was suspended loses its lock; if another one has made the folder meanwhile, it is complete.
      if (!existsSync(folder)) throw error;
    }
  });
  return folder;
}
