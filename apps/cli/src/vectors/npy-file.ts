import { npyHeader } from '#contracts';
import { AppendedFile } from './appended-file.js';
import { type FileMark, isFault, type VectorFile, type VectorRow } from './vector-row.js';

/** NumPy's `.npy`: float32 `[rows, dimensions]`; a text without a vector is a row of NaN. */
export class NpyFile implements VectorFile {
  readonly #file: AppendedFile;
  readonly #dimensions: number;
  #rows = 0;

  constructor(path: string, dimensions: number) {
    this.#file = new AppendedFile(path);
    this.#dimensions = dimensions;
  }

  async open(mark: FileMark | null): Promise<void> {
    this.#rows = mark?.rows ?? 0;
    await this.#file.open(mark?.bytes);
    // Space for the header, which has the number of rows and the same length for any number.
    if (mark === null) await this.#file.append(new Uint8Array(npyHeader(0, this.#dimensions).length));
  }

  async append(rows: readonly VectorRow[]): Promise<void> {
    const block = new Float32Array(rows.length * this.#dimensions);
    for (const [n, { vector }] of rows.entries()) {
      if (isFault(vector)) block.fill(Number.NaN, n * this.#dimensions, (n + 1) * this.#dimensions);
      else block.set(vector, n * this.#dimensions);
    }
    await this.#file.append(new Uint8Array(block.buffer));
    this.#rows += rows.length;
  }

  async mark(): Promise<FileMark> {
    await this.#file.sync();
    return { rows: this.#rows, bytes: this.#file.bytes };
  }

  async finish(): Promise<void> {
    await this.#file.sync();
    await this.#file.overwrite(npyHeader(this.#rows, this.#dimensions));
    await this.#file.sync();
    await this.#file.close();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
