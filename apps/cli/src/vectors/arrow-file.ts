import {
  Field,
  FixedSizeList,
  Float32,
  Int64,
  makeBuilder,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow';
import { AppendedFile } from './appended-file.js';
import { type FileMark, isFault, type VectorFile, type VectorRow } from './vector-row.js';

/** Approximate size of the vectors in one record batch, bytes. */
const BATCH_BYTES = 8 * 1024 * 1024;

type Columns = { index: Int64; id: Utf8; embedding: FixedSizeList<Float32>; error: Utf8 };

/** Position of a record batch in the file: offset, bytes of its metadata, bytes of its body. */
type Place = NonNullable<FileMark['batches']>[number];

/**
 * An Arrow IPC file (the same as Feather V2) with the columns `index` int64, `id` string or null, `embedding`
 * fixed-size list of float32 or null, `error` string or null.
 */
export class ArrowFile implements VectorFile {
  readonly #file: AppendedFile;
  readonly #schema: Schema<Columns>;
  readonly #dimensions: number;
  readonly #batchRows: number;
  #format: FormatWriter;
  #pending: VectorRow[] = [];
  #rows = 0;

  constructor(path: string, dimensions: number) {
    this.#file = new AppendedFile(path);
    this.#dimensions = dimensions;
    this.#batchRows = Math.ceil(BATCH_BYTES / (dimensions * Float32Array.BYTES_PER_ELEMENT));
    this.#schema = new Schema<Columns>([
      new Field('index', new Int64(), false),
      new Field('id', new Utf8(), true),
      new Field('embedding', new FixedSizeList(dimensions, new Field('item', new Float32(), false)), true),
      new Field('error', new Utf8(), true),
    ]);
    this.#format = new FormatWriter(this.#schema, null);
  }

  async open(mark: FileMark | null): Promise<void> {
    this.#rows = mark?.rows ?? 0;
    this.#pending = [];
    await this.#file.open(mark?.bytes);
    this.#format = new FormatWriter(this.#schema, mark);
    await this.#appendWritten();
  }

  async append(rows: readonly VectorRow[]): Promise<void> {
    this.#pending.push(...rows);
    if (this.#pending.length >= this.#batchRows) await this.#writeBatch();
  }

  async mark(): Promise<FileMark> {
    await this.#writeBatch();
    await this.#file.sync();
    return { rows: this.#rows, bytes: this.#file.bytes, batches: this.#format.places() };
  }

  async finish(): Promise<void> {
    await this.#writeBatch();
    this.#format.finish();
    await this.#appendWritten();
    await this.#file.sync();
    await this.#file.close();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #writeBatch(): Promise<void> {
    if (this.#pending.length === 0) return;
    this.#format.write(this.#batchOf(this.#pending));
    this.#rows += this.#pending.length;
    this.#pending = [];
    await this.#appendWritten();
  }

  async #appendWritten(): Promise<void> {
    for (const piece of this.#format.take()) await this.#file.append(piece);
  }

  #batchOf(rows: readonly VectorRow[]): RecordBatch<Columns> {
    const { length } = rows;
    const floats = new Float32Array(length * this.#dimensions);
    const isThere = new Uint8Array(Math.ceil(length / 8));
    for (const [n, { vector }] of rows.entries()) {
      if (isFault(vector)) continue;
      floats.set(vector, n * this.#dimensions);
      isThere[n >> 3]! |= 1 << (n & 7);
    }
    const [, , { type: listType }] = this.#schema.fields as [Field, Field, Field<FixedSizeList<Float32>>, Field];
    const children = [
      makeData({ type: new Int64(), data: BigInt64Array.from(rows, ({ index }) => BigInt(index)) }),
      strings(rows.map(({ id }) => id)),
      makeData({
        type: listType,
        length,
        nullCount: rows.filter(({ vector }) => isFault(vector)).length,
        nullBitmap: isThere,
        child: makeData({ type: new Float32(), data: floats }),
      }),
      strings(rows.map(({ vector }) => (isFault(vector) ? `${vector.code}: ${vector.message}` : null))),
    ];
    return new RecordBatch(
      this.#schema,
      makeData({ type: new Struct<Columns>(this.#schema.fields), length, children }),
    );
  }
}

function strings(values: readonly (string | null)[]) {
  const builder = makeBuilder({ type: new Utf8(), nullValues: [null] });
  for (const value of values) builder.append(value);
  return builder.finish().flush();
}

/* oxlint-disable no-underscore-dangle -- the names are Arrow's */
/**
 * Arrow's file writer, able to continue where an earlier one stopped. `take` returns what it wrote since the last call.
 */
class FormatWriter extends RecordBatchFileWriter<Columns> {
  #written: Uint8Array[] = [];

  constructor(schema: Schema<Columns>, mark: FileMark | null) {
    super();
    if (mark === null) {
      this.reset(undefined, schema);
      return;
    }
    this._started = true;
    this._schema = schema;
    this._position = mark.bytes;
    this._recordBatchBlocks = (mark.batches ?? []).map(([offset, metaDataLength, bodyLength]) => ({
      offset,
      metaDataLength,
      bodyLength,
    }));
  }

  places(): Place[] {
    return this._recordBatchBlocks.map(({ offset, metaDataLength, bodyLength }) => [
      offset,
      metaDataLength,
      bodyLength,
    ]);
  }

  take(): Uint8Array[] {
    const written = this.#written;
    this.#written = [];
    return written;
  }

  protected override _write(chunk: ArrayBufferView): this {
    const piece = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (!this._started || piece.byteLength === 0) return this;
    this.#written.push(piece);
    this._position += piece.byteLength;
    return this;
  }
}
