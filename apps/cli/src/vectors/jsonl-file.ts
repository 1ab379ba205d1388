import { AppendedFile } from './appended-file.js';
import { type FileMark, isFault, type VectorFile, type VectorRow } from './vector-row.js';

/** One JSON line per text: `{"index", "id"?, "embedding"}`, or `embedding: null` and an `error`. */
export class JsonlFile implements VectorFile {
  readonly #file: AppendedFile;
  #rows = 0;

  constructor(path: string) {
    this.#file = new AppendedFile(path);
  }

  async open(mark: FileMark | null): Promise<void> {
    this.#rows = mark?.rows ?? 0;
    await this.#file.open(mark?.bytes);
  }

  async append(rows: readonly VectorRow[]): Promise<void> {
    await this.#file.append(Buffer.from(rows.map((row) => `${lineOf(row)}\n`).join('')));
    this.#rows += rows.length;
  }

  async mark(): Promise<FileMark> {
    await this.#file.sync();
    return { rows: this.#rows, bytes: this.#file.bytes };
  }

  async finish(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function lineOf({ id, index, vector }: VectorRow): string {
  const name = id === null ? {} : { id };
  return JSON.stringify(
    isFault(vector)
      ? { index, ...name, embedding: null, error: vector }
      : { index, ...name, embedding: Array.from(vector) },
  );
}
