import type { ModelCard, Row, RowBytes } from '#contracts';

/** Encoding of vectors in JSON: a list of numbers, or base64 of little-endian float32. */
export type EncodingFormat = 'float' | 'base64';

/** Output options as stored with a job. Only the operation's output shape interprets them. */
export type Output = Readonly<Record<string, unknown>>;

/** How the rows of one response are written. */
export interface WriterOptions {
  readonly rowBytes: RowBytes;
  readonly output: Output;
  /** Options of the results query, which override `output`: `dimensions`, `normalize`. */
  readonly query?: Output;
  readonly encoding: EncodingFormat;
}

/**
 * An output shape converts an operation's rows to what the client asked for. There is one for each operation; no other
 * part of the API interprets a row's payload.
 */
export interface OutputShape {
  /** Name of the operation. */
  readonly operation: string;
  /** Resolves a request's options for a model. @throws ApiError for options that the model does not support */
  plan(options: Output, card: ModelCard): Output;
  /** Members of a job object that describe the output. */
  describe(output: Output, rowBytes: RowBytes): Readonly<Record<string, unknown>>;
  /** @throws ApiError for a query option that the stored rows do not support */
  writer(options: WriterOptions): RowWriter;
}

/** Writes the rows of one response. */
export interface RowWriter {
  /** Value of the member `object` of each result, for example `embedding`. */
  readonly object: string;
  /** Name of the member that holds the result; its value is null when the input failed. */
  readonly member: string;
  /** Floats per result in binary formats. */
  readonly width: number;
  /** The result as JSON. */
  json(row: Row): string;
  /** Writes the result into `target`, `[width]`. */
  into(row: Row, target: Float32Array): void;
}

/** Output shapes by operation. */
export class OutputShapes {
  readonly #byOperation: ReadonlyMap<string, OutputShape>;

  constructor(all: readonly OutputShape[]) {
    this.#byOperation = new Map(all.map((shape) => [shape.operation, shape]));
  }

  /** @throws Error for an operation without a shape, which is a bug */
  of({ operation }: { readonly operation: string }): OutputShape {
    const shape = this.#byOperation.get(operation);
    if (shape === undefined) throw new Error(`operation "${operation}" has no output shape`);
    return shape;
  }
}
