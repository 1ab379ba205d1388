import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { requireSegmentName, SegmentMissingError, type SegmentStore } from './segment-store.js';

/** The least that a segment store can be: a file for each segment. For proving that the contract can be kept. */
export class PlainFolder implements SegmentStore {
  readonly type = 'folder';
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#path(name);
    await mkdir(dirname(path), { recursive: true });
    // A dot begins no part of a segment's name.
    const partial = join(this.#root, `.${randomUUID()}`);
    try {
      const file = await open(partial, 'w');
      try {
        for await (const piece of bytes) await file.appendFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  async *read(name: string, from = 0, to = Infinity): AsyncGenerator<Uint8Array> {
    const size = await this.size(name);
    if (size === null) throw new SegmentMissingError(name);
    const end = Math.min(to, size);
    if (from < end) yield* createReadStream(this.#path(name), { start: from, end: end - 1 });
  }

  async size(name: string): Promise<number | null> {
    const found = await stat(this.#path(name)).catch(() => null);
    return found?.isFile() === true ? found.size : null;
  }

  async *list(prefix: string): AsyncGenerator<string> {
    for (const entry of await readdir(this.#root, { recursive: true, withFileTypes: true })) {
      const name = relative(this.#root, join(entry.parentPath, entry.name));
      if (entry.isFile() && !name.startsWith('.') && name.startsWith(prefix)) yield name;
    }
  }

  async remove(name: string): Promise<void> {
    if ((await this.size(name)) !== null) await rm(this.#path(name), { force: true });
  }

  #path(name: string): string {
    requireSegmentName(name);
    return join(this.#root, name);
  }
}
