import {
  ApiError,
  type EmbedOutput,
  embedCard,
  embedOutputSchema,
  ROW_HEAD_BYTES,
  type Row,
  type RowBytes,
} from '#contracts';
import { z } from 'zod';
import { normalizeInPlace } from './normalize.js';
import type { EncodingFormat, OutputShape, RowWriter } from './output-shape.js';

/** Options of a request, or of a query for results, that shape the vectors. */
const wishesSchema = z.object({ dimensions: z.int().min(1).optional(), normalize: z.boolean().optional() });

/** Output shape of `embed`: vectors cut to `dimensions`, then normalised. */
export const embedding: OutputShape = {
  operation: 'embed',
  plan(options, card) {
    const { dimensions, normalize } = wishesSchema.parse(options);
    const { defaultDimensions, dimensions: most, normalize: byDefault } = embedCard(card);
    requireDimensions(dimensions, most, card.name);
    const output: EmbedOutput = {
      dimensions: dimensions ?? defaultDimensions ?? null,
      normalize: normalize ?? byDefault,
    };
    return output;
  },
  describe(output, rowBytes) {
    const { dimensions, normalize } = embedOutputSchema.parse(output);
    const stored = dimensionsOf(rowBytes);
    return { dimensions: Math.min(dimensions ?? stored, stored), normalize };
  },
  writer({ encoding, output, query = {}, rowBytes }) {
    const asMade = embedOutputSchema.parse(output);
    const { dimensions, normalize } = wishesSchema.parse(query);
    const stored = dimensionsOf(rowBytes);
    requireDimensions(dimensions, stored, null);
    // After a replan to a model version with fewer dimensions, return all that are stored.
    const width = Math.min(dimensions ?? asMade.dimensions ?? stored, stored);
    return new VectorWriter(width, normalize ?? asMade.normalize, encoding);
  },
};

/** Copies bytes; creates a list of numbers only for JSON with encoding `float`. */
class VectorWriter implements RowWriter {
  readonly object = 'embedding';
  readonly member = 'embedding';
  readonly width: number;
  readonly #normalize: boolean;
  readonly #encoding: EncodingFormat;
  /** `[width]`, reused for each row. */
  readonly #floats: Float32Array;
  readonly #bytes: Buffer;

  constructor(width: number, normalize: boolean, encoding: EncodingFormat) {
    this.width = width;
    this.#normalize = normalize;
    this.#encoding = encoding;
    this.#floats = new Float32Array(width);
    this.#bytes = Buffer.from(this.#floats.buffer);
  }

  json(row: Row): string {
    this.into(row, this.#floats);
    return this.#encoding === 'base64'
      ? `"${this.#bytes.toString('base64')}"`
      : JSON.stringify(Array.from(this.#floats));
  }

  into(row: Row, target: Float32Array): void {
    const bytes = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
    row.copy(bytes, 0, ROW_HEAD_BYTES, ROW_HEAD_BYTES + bytes.length);
    if (this.#normalize) normalizeInPlace(target);
  }
}

function dimensionsOf({ most }: RowBytes): number {
  return (most - ROW_HEAD_BYTES) / Float32Array.BYTES_PER_ELEMENT;
}

function requireDimensions(wanted: number | undefined, most: number, model: string | null): void {
  if (wanted === undefined || wanted <= most) return;
  const whose = model === null ? 'which its rows have' : `which model "${model}" has`;
  throw new ApiError({
    status: 400,
    code: 'invalid_dimensions',
    param: 'dimensions',
    message: `dimensions must be at most ${most}, ${whose}. It is ${wanted}.`,
  });
}
