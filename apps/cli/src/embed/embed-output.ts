import { rename, rm } from 'node:fs/promises';
import { AppendedFile } from '../vectors/appended-file.js';
import { vectorFile } from '../vectors/vector-file.js';
import { type FileMark, isFault, type VectorFile, type VectorRow } from '../vectors/vector-row.js';

/** How much of both files is safely on disk. */
export interface OutputMark {
  readonly output: FileMark;
  readonly errorBytes: number;
}

/**
 * Output files of a run: the vectors and, beside them, `NAME.errors.jsonl` with the error of each text that has no
 * vector. Both have temporary names until they are complete.
 */
export class EmbedOutput {
  readonly name: string;
  readonly #vectors: VectorFile;
  readonly #errors: AppendedFile;

  constructor(name: string, dimensions: number) {
    this.name = name;
    this.#vectors = vectorFile(name, this.#draft, dimensions);
    this.#errors = new AppendedFile(this.#errorsDraft);
  }

  get errorsName(): string {
    return `${this.name}.errors.jsonl`;
  }

  get #draft(): string {
    return `${this.name}.embedmill-part`;
  }

  get #errorsDraft(): string {
    return `${this.errorsName}.embedmill-part`;
  }

  /** @param mark where to continue; null: starts empty files */
  async open(mark: OutputMark | null): Promise<void> {
    await this.#vectors.open(mark?.output ?? null);
    await this.#errors.open(mark?.errorBytes);
  }

  async append(rows: readonly VectorRow[]): Promise<void> {
    await this.#vectors.append(rows);
    for (const { id, index, vector } of rows) {
      if (!isFault(vector)) continue;
      const line = { index, ...(id === null ? {} : { id }), error: vector };
      await this.#errors.append(Buffer.from(`${JSON.stringify(line)}\n`));
    }
  }

  async mark(): Promise<OutputMark> {
    const output = await this.#vectors.mark();
    await this.#errors.sync();
    return { output, errorBytes: this.#errors.bytes };
  }

  /** Completes both files and gives them their final names; there is an errors file only if there are errors. */
  async finish(): Promise<void> {
    await this.#errors.sync();
    const { bytes } = this.#errors;
    await this.#errors.close();
    await this.#vectors.finish();
    await (bytes > 0 ? rename(this.#errorsDraft, this.errorsName) : rm(this.errorsName, { force: true }));
    await rename(this.#draft, this.name);
    await rm(this.#errorsDraft, { force: true });
  }

  async close(): Promise<void> {
    await this.#vectors.close();
    await this.#errors.close();
  }

  /** Deletes the unfinished files, of a run that cannot be resumed. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#draft, { force: true });
    await rm(this.#errorsDraft, { force: true });
  }
}
