import { HttpException } from '@nestjs/common';
import { ApiError, embeddingsRequestSchema } from '#contracts';
import { parse } from './parse.js';
import { toApiError } from './to-api-error.js';

const LIMITS = { maxBodyBytes: 1000 };

it('tells no secrets of what it does not know', () => {
  for (const unknown of [new Error('password is hunter2'), 'a string', null, undefined, { statusCode: 500 }]) {
    expect(toApiError(unknown, LIMITS).toBody()).toEqual({
      error: {
        message: 'Something went wrong in the service.',
        type: 'server_error',
        param: null,
        code: 'internal_error',
      },
    });
  }
});

it.each([
  Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
  Object.assign(new Error('Reached the max retries per request limit'), { name: 'MaxRetriesPerRequestError' }),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error('Connection is closed.'),
  new Error('Command timed out'),
  new Error('LOADING Redis is loading the dataset in memory'),
])('takes "%s" for a queue that is away', (error) => {
  expect(toApiError(error, LIMITS)).toMatchObject({ status: 503, code: 'queue_unavailable', retryAfter: 2 });
});

it('leaves an ApiError as it is, and knows those of the HTTP server', () => {
  const error = new ApiError({ status: 418, code: 'teapot', message: 'Short and stout.' });
  expect(toApiError(error, LIMITS)).toBe(error);
  expect(toApiError(new HttpException('Cannot GET /x', 404), LIMITS)).toMatchObject({ status: 404, code: 'not_found' });
  const large = toApiError(new HttpException('too large', 413), LIMITS);
  expect(large).toMatchObject({ status: 413, message: expect.stringMatching(/1000 bytes \(EMBED_MAX_BODY_BYTES\)/) });
});

it.each<[string, object, string, RegExp]>([
  ['what is missing', { input: 'x' }, 'model', /^model is missing: it must be a string\.$/],
  ['a name of no length', { model: '' }, 'model', /^model must have at least 1 character\. It is ""\.$/],
  ['a name without end', { model: 'm'.repeat(201) }, 'model', /at most 200 characters. It is a string of 201 /],
  ['a number that is none', { dimensions: '5' }, 'dimensions', /^dimensions must be a number\. It is "5"\.$/],
  ['a number too small', { dimensions: 0 }, 'dimensions', /^dimensions must be at least 1\. It is 0\.$/],
  ['an option', { truncate: 'no' }, 'truncate', /one of "error", "end", "start", "middle"\. It is "no"\.$/],
  ['an item', { input: ['a', 7] }, 'input[1]', /^input\[1\] must be a string\. It is 7\.$/],
])('names the field, what it must be and what it is: %s', (what, change, param, message) => {
  const body = { ...(what === 'what is missing' ? {} : { model: 'm', input: 'x' }), ...change };
  expect(() => parse(embeddingsRequestSchema, body)).toThrow(
    expect.objectContaining({ status: 400, param, message: expect.stringMatching(message) }),
  );
});
