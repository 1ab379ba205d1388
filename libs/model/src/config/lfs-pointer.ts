import { open } from 'node:fs/promises';
import { BootError } from '#contracts';

/** First bytes of the file that git has in place of one that Git LFS keeps elsewhere. */
export const MARK = 'version https://git-lfs.github.com/spec/';

/** @throws BootError, one line, when a file is only a pointer of Git LFS, as after a clone without `git lfs pull` */
export async function requireNoPointers(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MARK.length), 0, MARK.length, 0);
      if (buffer.toString('latin1', 0, bytesRead) !== MARK) continue;
    } finally {
      await file.close();
    }
    throw pointerError(path);
  }
}

export function pointerError(path: string): BootError {
  return new BootError(`${path} is a pointer of Git LFS, not the file itself: run \`git lfs pull\` in its folder`);
}
