import { apiErrorOf, retryAfterMs } from './api-error.js';

const ASKED = { method: 'POST', path: '/v1/jobs', url: 'http://host', keySent: true };

function answer(status: number, headers: Record<string, string> = {}) {
  return { status, headers: new Headers(headers) };
}

describe('apiErrorOf', () => {
  it('has all that the service says', () => {
    const error = {
      message: 'Line 7 is bad.',
      type: 'invalid_request_error',
      param: 'line 7',
      code: 'invalid_json',
      job_id: 'job_1',
    };
    const headers = { 'x-request-id': 'r1', 'retry-after': '3' };
    expect(apiErrorOf(answer(400, headers), JSON.stringify({ error }), ASKED)).toMatchObject({
      name: 'EmbedmillApiError',
      message: 'Line 7 is bad.',
      status: 400,
      code: 'invalid_json',
      param: 'line 7',
      requestId: 'r1',
      retryAfterMs: 3000,
      details: { job_id: 'job_1' },
      url: 'http://host',
      keySent: true,
    });
  });

  it.each(['', '<html>Bad gateway</html>', 'null', '{"error":"no"}', '{"error":null}', '[]'])(
    'makes a sentence of its own for an answer that is not Embedmill’s: %s',
    (text) => {
      expect(apiErrorOf(answer(502), text, ASKED)).toMatchObject({
        message: 'http://host answers 502 to POST /v1/jobs',
        code: '',
        param: null,
        requestId: null,
        retryAfterMs: null,
        details: {},
      });
    },
  );

  it('says where a redirect points', () => {
    const { message } = apiErrorOf(answer(301, { location: 'https://host/v1/jobs' }), '', ASKED);
    expect(message).toBe('http://host answers 301 to POST /v1/jobs; it points to https://host/v1/jobs');
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  it.each([
    ['2', 2000],
    ['0', 0],
    ['Fri, 02 Jan 2026 03:04:15 GMT', 10_000],
    ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
    ['soon', null],
    [null, null],
  ])('reads seconds and dates: %s', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms);
  });
});
