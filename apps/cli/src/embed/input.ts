import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { CommandError, EXIT } from '../exit-codes.js';
import type { InputFormat } from './text-records.js';

const HEAD_BYTES = 64 * 1024;

const FORMATS: Readonly<Record<string, InputFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.tsv': 'tsv',
};

/** Identifies an input file in a later run. */
export const inputIdentitySchema = z.object({
  bytes: z.int(),
  mtimeMs: z.number(),
  /** SHA-256 of its first 64 KiB, hex. */
  head: z.string(),
});
export type InputIdentity = z.infer<typeof inputIdentitySchema>;

/** The input: a file, gzipped or not, or standard input. Offsets count uncompressed bytes. */
export class Input {
  readonly name: string;
  readonly #gzipped: boolean;
  #bytesRead = 0;

  /** @param name a path; `-` is standard input */
  constructor(name: string) {
    this.name = name;
    this.#gzipped = extname(name) === '.gz';
  }

  get isStandardInput(): boolean {
    return this.name === '-';
  }

  /** Format by the file's extension; `text` for any other extension. */
  get format(): InputFormat {
    return FORMATS[extname(this.#gzipped ? this.name.slice(0, -'.gz'.length) : this.name)] ?? 'text';
  }

  /** Bytes of the file read so far, compressed if the file is: to show progress. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** @throws CommandError when the file cannot be read */
  async identity(): Promise<InputIdentity> {
    try {
      const { mtimeMs, size } = await stat(this.name);
      const file = await open(this.name);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
        return { bytes: size, mtimeMs, head: createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex') };
      } finally {
        await file.close();
      }
    } catch (error) {
      throw new CommandError(EXIT.usage, `the input cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Yields the uncompressed bytes from an offset on. Standard input can be read only once, from its beginning. */
  async *chunks(from: number): AsyncGenerator<Uint8Array> {
    // gzip can only be decompressed from the beginning.
    const start = this.#gzipped ? 0 : from;
    this.#bytesRead = start;
    const raw: Readable = this.isStandardInput ? process.stdin : createReadStream(this.name, { start });
    let toSkip = from - start;
    for await (const chunk of this.#gzipped ? unpacked(this.#counted(raw)) : this.#counted(raw)) {
      const skipped = Math.min(toSkip, chunk.byteLength);
      toSkip -= skipped;
      if (skipped < chunk.byteLength) yield chunk.subarray(skipped);
    }
  }

  async *#counted(raw: Readable): AsyncGenerator<Uint8Array> {
    for await (const chunk of raw as AsyncIterable<Buffer>) {
      this.#bytesRead += chunk.byteLength;
      yield chunk;
    }
  }
}

async function* unpacked(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(packed);
  const gunzip = createGunzip();
  source.once('error', (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip) as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}
