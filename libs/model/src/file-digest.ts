import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * SHA-256 of a file, hex. Cached in the model folder by path, size and modification time, so that large files are read
 * only once.
 */
export async function fileDigest(path: string, modelDir: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  const identity = createHash('sha256')
    .update(JSON.stringify([path, size, mtimeMs]))
    .digest('hex');
  const folder = join(modelDir, 'digests');
  const note = join(folder, identity.slice(0, 32));
  const known = await readFile(note, 'utf8').catch(() => null);
  if (known !== null) return known;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const digest = hash.digest('hex');
  await mkdir(folder, { recursive: true });
  await writeFile(`${note}.${process.pid}`, digest);
  await rename(`${note}.${process.pid}`, note);
  return digest;
}
