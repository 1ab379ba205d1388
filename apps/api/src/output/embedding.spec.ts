import fc from 'fast-check';
import { encodeRow, ROW_HEAD_BYTES, type Row, rowsOfFloats } from '#contracts';
import { modelCard } from '../planning/model-card.fixture.js';
import { embedding } from './embedding.js';
import { jsonResult } from './json-result.js';
import type { Output, RowWriter, WriterOptions } from './output-shape.js';

const RAW = { dimensions: null, normalize: false };
const floats = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 1, maxLength: 64 });

function writerOf(stored: number, output: Output, more: Partial<WriterOptions> = {}): RowWriter {
  return embedding.writer({ rowBytes: rowsOfFloats(stored), output, encoding: 'float', ...more });
}

function rowOf(values: readonly number[]): Row {
  return encodeRow(Float32Array.from(values), 3, false);
}

function written(writer: RowWriter, row: Row): Float32Array {
  const target = new Float32Array(writer.width);
  writer.into(row, target);
  return target;
}

describe('vectors', () => {
  it('are cut first and normalised then, and their rows are left alone', () => {
    fc.assert(
      fc.property(floats, fc.integer({ min: 1, max: 64 }), (values, wanted) => {
        const raw = Float32Array.from(values);
        const row = rowOf(values);
        const before = Buffer.from(row);
        const dimensions = Math.min(wanted, raw.length);
        const shaped = written(writerOf(raw.length, { dimensions, normalize: true }), row);
        expect(shaped).toHaveLength(dimensions);
        const norm = Math.hypot(...raw.slice(0, dimensions));
        shaped.forEach((value, d) => expect(value).toBeCloseTo(norm === 0 ? 0 : raw[d]! / norm, 5));
        expect(row).toEqual(before);
        expect(written(writerOf(raw.length, RAW), row)).toEqual(raw);
      }),
    );
  });

  it('are the same floats as a list, as base64 and in a binary format', () => {
    fc.assert(
      fc.property(floats, fc.boolean(), (values, normalize) => {
        const row = rowOf(values);
        const output = { dimensions: null, normalize };
        const list = writerOf(values.length, output);
        const vector = written(list, row);
        expect(Float32Array.from(JSON.parse(list.json(row)) as number[])).toEqual(vector.map((value) => value + 0));
        const base64 = JSON.parse(writerOf(values.length, output, { encoding: 'base64' }).json(row)) as string;
        expect(Buffer.from(base64, 'base64')).toEqual(Buffer.from(vector.buffer));
      }),
    );
  });

  it('are little-endian float32 as base64', () => {
    const expected = Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]).toString('base64');
    expect(writerOf(2, RAW, { encoding: 'base64' }).json(rowOf([1, -2]))).toBe(`"${expected}"`);
  });

  it('fill their own place in a block of many, wherever their rows lie in memory', () => {
    const writer = writerOf(3, { dimensions: 2, normalize: false });
    const around = Buffer.alloc(ROW_HEAD_BYTES + 3 * 4 + 1);
    const row = around.subarray(1);
    encodeRow(Float32Array.of(1, 2, 3), 5, false, row);
    const block = new Float32Array(6).fill(9);
    writer.into(row, block.subarray(2, 4));
    expect([...block]).toEqual([9, 9, 1, 2, 9, 9]);
  });

  it('do not leak into one another: a writer is used for many rows', () => {
    const writer = writerOf(2, { dimensions: null, normalize: true });
    const rows = [rowOf([3, 4]), rowOf([0, 0]), rowOf([0, -5])];
    expect(rows.map((row) => JSON.parse(writer.json(row)) as number[])).toEqual([
      [Math.fround(0.6), Math.fround(0.8)],
      [0, 0],
      [0, -1],
    ]);
  });
});

describe('a result', () => {
  it('is named as OpenAI names it, with what is known of its text', () => {
    const writer = writerOf(2, RAW);
    const row = encodeRow(Float32Array.of(1, 2), 512, true);
    expect(JSON.parse(jsonResult(7, row, writer))).toEqual({
      object: 'embedding',
      index: 7,
      embedding: [1, 2],
      tokens: 512,
      truncated: true,
    });
    const error = { code: 'inference_failed', message: 'a "quoted" reason' } as const;
    expect(JSON.parse(jsonResult(8, error, writer))).toEqual({ object: 'embedding', index: 8, embedding: null, error });
  });
});

describe('what a request says of its vectors', () => {
  const card = modelCard({ name: 'org/m', embed: { dimensions: 4, normalize: true } });

  it('goes before what the model says', () => {
    expect(embedding.plan({}, card)).toEqual({ dimensions: null, normalize: true });
    expect(embedding.plan({}, modelCard({ embed: { normalize: false } }))).toEqual({
      dimensions: null,
      normalize: false,
    });
    const shortened = modelCard({ embed: { defaultDimensions: 2 } });
    expect(embedding.plan({}, shortened)).toEqual({ dimensions: 2, normalize: true });
    expect(embedding.plan({ dimensions: 4 }, shortened)).toEqual({ dimensions: 4, normalize: true });
    expect(embedding.plan({ dimensions: 4, normalize: false }, card)).toEqual({ dimensions: 4, normalize: false });
  });

  it('is refused when the model has not so many dimensions', () => {
    expect(() => embedding.plan({ dimensions: 5 }, card)).toThrow(
      expect.objectContaining({
        status: 400,
        code: 'invalid_dimensions',
        param: 'dimensions',
        message: 'dimensions must be at most 4, which model "org/m" has. It is 5.',
      }),
    );
  });

  it('is told by the job object: the length of its results, not of its rows', () => {
    expect(embedding.describe(RAW, rowsOfFloats(4))).toEqual({ dimensions: 4, normalize: false });
    expect(embedding.describe({ dimensions: 2, normalize: true }, rowsOfFloats(4))).toEqual({
      dimensions: 2,
      normalize: true,
    });
  });
});

describe('what a query for results says', () => {
  const made = { dimensions: 3, normalize: true };

  it('goes before what the job was made with, up to the length of its rows', () => {
    expect(writerOf(4, made).width).toBe(3);
    expect(writerOf(4, made, { query: { dimensions: 2 } }).width).toBe(2);
    expect(writerOf(4, made, { query: { dimensions: 4 } }).width).toBe(4);
    const row = rowOf([3, 4, 0, 12]);
    expect([...written(writerOf(4, made), row)]).toEqual([0.6, 0.8, 0].map(Math.fround));
    expect([...written(writerOf(4, made, { query: { normalize: false } }), row)]).toEqual([3, 4, 0]);
  });

  it('is refused when the rows have not so many dimensions', () => {
    expect(() => writerOf(4, made, { query: { dimensions: 5 } })).toThrow(
      expect.objectContaining({
        status: 400,
        code: 'invalid_dimensions',
        param: 'dimensions',
        message: 'dimensions must be at most 4, which its rows have. It is 5.',
      }),
    );
  });

  it('gives all there is of rows that turned out shorter than the job was made for', () => {
    expect(writerOf(2, made).width).toBe(2);
  });
});
