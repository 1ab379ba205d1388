import { type EmbeddedText, embeddingsResponseSchema } from '#contracts';
import { responseBody } from './response-body.js';

const text = (vector: number[], tokens: number): EmbeddedText => ({
  ok: true,
  vector: Float32Array.from(vector),
  tokens,
  truncated: false,
});

const RAW = { dimensions: null, normalize: false };

it('is what OpenAI answers', async () => {
  const body = await responseBody('a "model"', [text([1, 0.5], 3), text([-2, 0], 4)], RAW, 'float');
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

it('has the same floats as base64, cut and normalised', async () => {
  const output = { dimensions: 2, normalize: true };
  const body = await responseBody('m', [text([3, 4, 9], 1)], output, 'base64');
  const { data } = embeddingsResponseSchema.parse(JSON.parse(body));
  const bytes = Buffer.from(data[0]!.embedding as string, 'base64');
  expect([bytes.length, bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([
    8,
    Math.fround(3 / 5),
    Math.fround(4 / 5),
  ]);
});

it('lets others have their turn while it writes many vectors', async () => {
  const texts = Array.from({ length: 200 }, () => text(Array(1024).fill(0.1), 1));
  let turns = 0;
  const count = () => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  const body = await responseBody('m', texts, RAW, 'float');
  clearImmediate(next);
  expect(embeddingsResponseSchema.parse(JSON.parse(body)).data).toHaveLength(200);
  expect(turns).toBeGreaterThanOrEqual(6);
});
