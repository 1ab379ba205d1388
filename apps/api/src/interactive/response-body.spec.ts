import { embeddingsResponseSchema, encodeRow, type Row, rowsOfFloats } from '#contracts';
import { embedding } from '../output/embedding.js';
import type { RowWriter } from '../output/output-shape.js';
import { responseBody } from './response-body.js';

const row = (vector: number[], tokens: number): Row => encodeRow(Float32Array.from(vector), tokens, false);

/** Vectors as the model made them. */
const raw = (floats: number): RowWriter =>
  embedding.writer({
    rowBytes: rowsOfFloats(floats),
    output: { dimensions: null, normalize: false },
    encoding: 'float',
  });

it('is what OpenAI answers', async () => {
  const body = await responseBody('a "model"', [row([1, 0.5], 3), row([-2, 0], 4)], raw(2));
  expect(embeddingsResponseSchema.parse(JSON.parse(body))).toEqual({
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [1, 0.5] },
      { object: 'embedding', index: 1, embedding: [-2, 0] },
    ],
    model: 'a "model"',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });
});

it('has the same floats as base64, cut and normalised, each row its own', async () => {
  const writer = embedding.writer({
    rowBytes: rowsOfFloats(3),
    output: { dimensions: 2, normalize: true },
    encoding: 'base64',
  });
  const body = await responseBody('m', [row([3, 4, 9], 1), row([0, 2, 9], 1)], writer);
  const { data } = embeddingsResponseSchema.parse(JSON.parse(body));
  const bytes = Buffer.from(data[0]!.embedding as string, 'base64');
  expect([bytes.length, bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([
    8,
    Math.fround(3 / 5),
    Math.fround(4 / 5),
  ]);
  expect(Buffer.from(data[1]!.embedding as string, 'base64').readFloatLE(4)).toBe(1);
});

it('lets others have their turn while it writes many vectors', async () => {
  const rows = Array.from({ length: 200 }, () => row(Array(1024).fill(0.1), 1));
  let turns = 0;
  const count = () => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  const body = await responseBody('m', rows, raw(1024));
  clearImmediate(next);
  expect(embeddingsResponseSchema.parse(JSON.parse(body)).data).toHaveLength(200);
  expect(turns).toBeGreaterThanOrEqual(6);
});
