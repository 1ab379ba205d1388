import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Smaller files gain nothing. */
const LEAST_BYTES = 1024;

/** Writes `.br` and `.gz` beside every text file of the site, so that the API compresses nothing while it serves. */
export function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir }) {
      if (dir === undefined) throw new Error('the site has no folder');
      const files = await readdir(dir, { recursive: true });
      for (const file of files.filter((file) => /\.(js|css|html|svg)$/.test(file))) {
        const path = join(dir, file);
        const content = await readFile(path);
        if (content.length < LEAST_BYTES) continue;
        await writeFile(`${path}.br`, brotliCompressSync(content));
        await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}
