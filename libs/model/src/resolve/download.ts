import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootError } from '#contracts';
import { withFileLock } from '../file-lock.js';

/** A file as the hub lists it. */
export interface RemoteFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the content, or the git blob's SHA-1. */
  readonly digest: { readonly algorithm: 'sha256' | 'git-sha1'; readonly hex: string };
}

/** Progress of a download, bytes. */
export interface DownloadProgress {
  readonly file: string;
  readonly done: number;
  readonly total: number;
}

export interface DownloadOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly target: string;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const ATTEMPTS = 5;
const FIRST_RETRY_MS = 200;

/**
 * Downloads a file unless it exists. An interrupted download is resumed; the target appears only when it is complete
 * and its checksum is right. Processes that share the folder take turns.
 * @throws BootError that says what to do
 */
export async function download(file: RemoteFile, options: DownloadOptions): Promise<void> {
  if (await isThere(options.target)) return;
  await mkdir(dirname(options.target), { recursive: true });
  await withFileLock(options.target, async () => {
    if (await isThere(options.target)) return;
    const part = `${options.target}.part`;
    for (let attempt = 1; ; attempt++) {
      try {
        await fetchRest(file, part, options);
        break;
      } catch (error) {
        if (error instanceof BootError || attempt === ATTEMPTS) {
          throw error instanceof BootError
            ? error
            : new BootError(`${options.url}: ${describe(error)}`, { cause: error });
        }
        await sleep(FIRST_RETRY_MS * 2 ** attempt);
      }
    }
    const digest = await digestOf(part, file);
    if (digest !== file.digest.hex) {
      await rm(part, { force: true });
      throw new BootError(
        `${options.url}: its checksum is ${digest}, the hub lists ${file.digest.hex}; the download was thrown away, try again`,
      );
    }
    await rename(part, options.target);
  });
}

async function fetchRest(file: RemoteFile, part: string, { url, headers, onProgress }: DownloadOptions): Promise<void> {
  let done = (await stat(part).catch(() => null))?.size ?? 0;
  if (done > file.size) {
    await rm(part, { force: true });
    done = 0;
  }
  if (done === file.size && done > 0) return;
  const response = await fetch(url, { headers: done > 0 ? { ...headers, range: `bytes=${done}-` } : headers });
  refuse(response, url);
  const resumes = response.status === 206;
  if (!resumes) done = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length;
      onProgress?.({ file: file.path, done, total: file.size });
      next(null, chunk);
    },
  });
  const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
  await pipeline(body, count, createWriteStream(part, { flags: resumes ? 'a' : 'w' }));
  if (done !== file.size) throw new Error(`${done} of ${file.size} bytes came`);
}

/** @throws BootError for an error that a retry cannot solve, Error for any other error status */
export function refuse(response: Response, url: string): void {
  if (response.ok) return;
  if (response.status === 401 || response.status === 403) {
    throw new BootError(
      `${url}: ${response.status}: the model is private or gated: set HF_TOKEN to a token that may read it`,
    );
  }
  if (response.status === 404)
    throw new BootError(`${url}: 404: no such model, revision or file; check the id and the revision`);
  throw new Error(`status ${response.status}`);
}

async function digestOf(path: string, { digest, size }: RemoteFile): Promise<string> {
  const hash = createHash(digest.algorithm === 'sha256' ? 'sha256' : 'sha1');
  if (digest.algorithm === 'git-sha1') hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
