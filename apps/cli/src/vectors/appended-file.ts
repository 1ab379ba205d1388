import { type FileHandle, open } from 'node:fs/promises';
import { CommandError, EXIT } from '../exit-codes.js';

/** Bytes to buffer before a write. */
const BLOCK_BYTES = 1024 * 1024;

/** An append-only file that can be truncated to an earlier length. */
export class AppendedFile {
  readonly #path: string;
  #file: FileHandle | null = null;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * @param bytes length to keep; 0: starts an empty file
   * @throws CommandError when the file cannot be written, or is shorter
   */
  async open(bytes = 0): Promise<void> {
    await this.close();
    try {
      this.#file = await open(this.#path, bytes === 0 ? 'w' : 'r+');
    } catch (error) {
      const way = bytes === 0 ? '' : '; --restart starts over';
      throw new CommandError(EXIT.error, `cannot write: ${(error as Error).message}${way}`, { cause: error });
    }
    const { size } = await this.#file.stat();
    if (size < bytes) {
      throw new CommandError(
        EXIT.error,
        `${this.#path} has ${size} bytes, not the ${bytes} that were written; --restart starts over`,
      );
    }
    await this.#file.truncate(bytes);
    this.#bytes = bytes;
  }

  /** Length of the file, including what is not written yet. */
  get bytes(): number {
    return this.#bytes + this.#pendingBytes;
  }

  /** @param piece the caller must not change it until it is written */
  async append(piece: Uint8Array): Promise<void> {
    this.#pending.push(piece);
    this.#pendingBytes += piece.byteLength;
    if (this.#pendingBytes >= BLOCK_BYTES) await this.#write();
  }

  /** Overwrites the beginning of the file. */
  async overwrite(piece: Uint8Array): Promise<void> {
    await this.#handle.write(piece, 0, piece.byteLength, 0);
  }

  async sync(): Promise<void> {
    await this.#write();
    await this.#handle.sync();
  }

  /** Drops what is not written yet; later writes throw. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    this.#pending = [];
    this.#pendingBytes = 0;
    await file?.close();
  }

  async #write(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const pieces = this.#pending;
    const bytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    const { bytesWritten } = await this.#handle.writev(pieces, this.#bytes);
    if (bytesWritten !== bytes) throw new Error(`${this.#path}: ${bytesWritten} of ${bytes} bytes were written`);
    this.#bytes += bytes;
  }

  get #handle(): FileHandle {
    if (this.#file === null) throw new Error(`${this.#path} is not open`);
    return this.#file;
  }
}
