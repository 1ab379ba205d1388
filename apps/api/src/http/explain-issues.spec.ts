import { z } from 'zod';
import { embeddingsRequestSchema, jobListQuerySchema, jobQuerySchema, resultsQuerySchema } from '#contracts';
import { parse } from './parse.js';
import { SchemaPipe } from './schema.pipe.js';

function refusal(refused: () => unknown): unknown {
  try {
    refused();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

describe('a refused body', () => {
  it.each<[string, unknown, string | null, string]>([
    ['a field that is missing', { input: 'x' }, 'model', 'model is missing: it must be a string.'],
    ['null where something belongs', { model: null, input: 'x' }, 'model', 'model must be a string. It is null.'],
    ['an object', { model: {}, input: 'x' }, 'model', 'model must be a string. It is an object.'],
    ['a list', { model: ['m'], input: 'x' }, 'model', 'model must be a string. It is a list of 1.'],
    ['no body at all', undefined, null, 'The body is missing: it must be an object.'],
    ['a body that is none', 'model', null, 'The body must be an object. It is "model".'],
    [
      'a long text, by its length',
      'x'.repeat(41),
      null,
      'The body must be an object. It is a string of 41 characters.',
    ],
    ['an item', { model: 'm', input: ['a', 7] }, 'input[1]', 'input[1] must be a string. It is 7.'],
  ])('names %s', (_, body, param, message) => {
    expect(refusal(() => parse(embeddingsRequestSchema, body))).toMatchObject({
      status: 400,
      code: message.includes('is missing') ? 'missing_field' : 'invalid_value',
      param,
      message,
    });
  });

  it('names fields within fields, those too many, and bounds with their units', () => {
    const schema = z.strictObject({
      deep: z.object({ list: z.array(z.int().min(1).max(9)).min(1).max(2) }).optional(),
    });
    const deep = (list: unknown) => ({ deep: { list } });
    const words = (value: unknown) => (refusal(() => parse(schema, value)) as Error).message;
    expect(words(deep([1, 0]))).toBe('deep.list[1] must be at least 1. It is 0.');
    expect(words(deep([10]))).toBe('deep.list[0] must be at most 9. It is 10.');
    expect(words(deep([1.5]))).toBe('deep.list[0] must be an integer. It is 1.5.');
    expect(words(deep([]))).toBe('deep.list must have at least 1 item. It is a list of 0.');
    expect(words(deep([1, 2, 3]))).toBe('deep.list must have at most 2 items. It is a list of 3.');
    expect(words(deep(undefined))).toBe('deep.list is missing: it must be a list.');
    expect(words({ shallow: 1 })).toBe('The body must not have "shallow". It is an object.');
  });
});

describe('a refused query', () => {
  const pipe = new SchemaPipe();
  const read = (schema: z.ZodType, query: unknown) => pipe.transform(query, { type: 'query', schema });

  it.each<[z.ZodType, Record<string, string>, string, string]>([
    [jobListQuerySchema, { limit: '101' }, 'limit', 'limit must be at most 100. It is "101".'],
    [jobListQuerySchema, { limit: 'ten' }, 'limit', 'limit must be a number. It is "ten".'],
    [jobQuerySchema, { wait: '-1' }, 'wait', 'wait must be at least 0. It is "-1".'],
    [
      resultsQuerySchema,
      { cursor: 'job_1' },
      'cursor',
      'cursor is not a cursor that this service gave. It is "job_1".',
    ],
    [
      resultsQuerySchema,
      { format: 'csv' },
      'format',
      'format must be one of "json", "ndjson", "f32", "npy". It is "csv".',
    ],
  ])('names the parameter, what it must be and what it is', (schema, query, param, message) => {
    expect(refusal(() => read(schema, query))).toMatchObject({ status: 400, code: 'invalid_value', param, message });
  });

  it('is answered as it was read where nothing is wrong, and what has no schema is left alone', () => {
    expect(read(jobListQuerySchema, { limit: '7' })).toEqual({ limit: 7 });
    const body = { limit: '7' };
    expect(pipe.transform(body, { type: 'body' })).toBe(body);
  });
});
