import type { ModelCard, Row, RowBytes } from '#contracts';

/** How numbers are written in JSON: as a list, or as base64 of little-endian float32. */
export type EncodingFormat = 'float' | 'base64';

/** What is applied to rows on the way out, as a job keeps it. Read by the operation's shape alone. */
export type Output = Readonly<Record<string, unknown>>;

/** Rows of one answer, and how they are to be written. */
export interface WriterOptions {
  readonly rowBytes: RowBytes;
  readonly output: Output;
  /** The query's own wishes, which go before `output`: `dimensions`, `normalize`. */
  readonly query?: Output;
  readonly encoding: EncodingFormat;
}

/**
 * An output shape turns an operation's rows into what clients asked for. There is one for each operation; only here are
 * rows read.
 */
export interface OutputShape {
  /** Name of the operation. */
  readonly operation: string;
  /** What a request's options come to for a model. @throws ApiError for what the model cannot give */
  plan(options: Output, card: ModelCard): Output;
  /** What a job object tells of it. */
  describe(output: Output, rowBytes: RowBytes): Readonly<Record<string, unknown>>;
  /** @throws ApiError for a wish of the query that the rows cannot fulfil */
  writer(options: WriterOptions): RowWriter;
}

/** Writes the rows of one answer. */
export interface RowWriter {
  /** Member `object` of each result: `embedding`. */
  readonly object: string;
  /** The member that holds the result; null in it where the input failed. */
  readonly member: string;
  /** Floats of a result in binary formats. */
  readonly width: number;
  /** The result as JSON. */
  json(row: Row): string;
  /** @param target `[width]`, filled with the result */
  into(row: Row, target: Float32Array): void;
}

/** The shapes a process knows, by operation. */
export class OutputShapes {
  readonly #byOperation: ReadonlyMap<string, OutputShape>;

  constructor(all: readonly OutputShape[]) {
    this.#byOperation = new Map(all.map((shape) => [shape.operation, shape]));
  }

  /** @throws Error for an operation without a shape, which is a fault of the program */
  of({ operation }: { readonly operation: string }): OutputShape {
    const shape = this.#byOperation.get(operation);
    if (shape === undefined) throw new Error(`operation "${operation}" has no output shape`);
    return shape;
  }
}
