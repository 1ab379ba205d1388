import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeBertModel } from '../support/random-model.js';
import { startRedis } from '../support/redis.js';
import { startApi, startWorker } from '../support/services.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

const started: { stop(): Promise<unknown> }[] = [];
let folder: string;
let api: Service;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-embeddings-'));
  const model = join(folder, 'model');
  await makeBertModel(model, {
    pooling: 'mean',
    maxTokens: 16,
    normalize: true,
    prompts: { query: 'query ', long: 'the fox '.repeat(7) },
  });
  // The files of bge-zh say nothing about its prompt.
  const zh = join(folder, 'bge-small-zh-v1.5');
  await makeBertModel(zh, { pooling: 'cls', normalize: true });
  const instructed = { instructed: { source: model, instruction: 'the {instruction} ' } };
  await writeFile(join(folder, 'models.json'), JSON.stringify(instructed));
  const redis = await startRedis();
  started.push(redis);
  const settings = {
    REDIS_URL: redis.url,
    EMBED_MODELS: `org/small=${model},bge-zh:latest=${zh},instructed`,
    EMBED_MODELS_FILE: join(folder, 'models.json'),
    EMBED_MODEL_DIR: join(folder, 'compiled'),
    EMBED_MAX_INPUTS: '8',
    EMBED_MAX_TEXT_BYTES: '200',
    EMBED_MAX_BODY_BYTES: '4096',
  };
  started.unshift(await startWorker(settings));
  api = await startApi(settings);
  started.unshift(api);
}, 120_000);

afterAll(async () => {
  for (const service of started) await service.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly data: { index: number; embedding: number[] | string }[];
  readonly usage: { prompt_tokens: number; total_tokens: number };
  readonly error: { message: string; type: string; param: string | null; code: string };
}

async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as Answer) };
}

async function vector(body: object): Promise<number[]> {
  const answer = await post({ model: 'org/small', ...body });
  expect(answer.status).toBe(200);
  return answer.data[0]!.embedding as number[];
}

const LONG = 'the quick brown fox jumps over the lazy dog and the first number of many';

it('answers from the cache the second time, and says so', async () => {
  const body = { model: 'org/small', input: ['cached text', 'another', 'cached text'] };
  const first = await post(body);
  expect([first.status, first.headers.get('x-embedmill-cached')]).toEqual([200, '0']);
  const second = await post(body);
  expect(second.headers.get('x-embedmill-cached')).toBe('3');
  expect(second.data).toEqual(first.data);
  expect(second.usage).toEqual(first.usage);
});

it('honours input_type, truncate and normalize', async () => {
  const plain = await vector({ input: 'fox' });
  expect(await vector({ input: 'fox', input_type: 'document' })).toEqual(plain);
  const query = await vector({ input: 'fox', input_type: 'query' });
  expect(query).not.toEqual(plain);
  expect(await vector({ input: 'query fox' })).toEqual(query);
  expect(await vector({ input: 'fox', input_type: 'search_query' })).toEqual(query);
  expect(await vector({ input: 'fox', prompt_name: 'query' })).toEqual(query);
  expect(Math.hypot(...plain)).toBeCloseTo(1, 5);
  const raw = await vector({ input: 'fox', normalize: false });
  expect(Math.hypot(...raw)).not.toBeCloseTo(1, 3);

  const cuts = await Promise.all(['end', 'start', 'middle'].map((truncate) => vector({ input: LONG, truncate })));
  expect(new Set(cuts.map(String)).size).toBe(3);
  const answer = await post({ model: 'org/small', input: ['short', LONG] });
  expect(answer.headers.get('x-embedmill-truncated')).toBe('1');
  expect(await vector({ input: 'fox', truncate: 'error' })).toEqual(plain);
});

it('says which prompt it used', async () => {
  const promptOf = async (options: object) =>
    (await post({ model: 'org/small', input: 'fox', ...options })).headers.get('x-embedmill-prompt');
  expect(await promptOf({ input_type: 'query' })).toBe('query');
  expect(await promptOf({ input_type: 'document' })).toBe('none');
  expect(await promptOf({})).toBe('none');
});

it('prepends the prompt of bge-zh to queries only, and says so', async () => {
  const ask = async (options: object) => post({ model: 'bge-zh:latest', ...options });
  const input = '样例数据 fox';
  const query = await ask({ input, input_type: 'query' });
  const byHand = await ask({ input: `为这个句子生成表示以用于检索相关文章：${input}` });
  const document = await ask({ input, input_type: 'document' });
  const plain = await ask({ input });
  expect(query.data).toEqual(byHand.data);
  expect(query.data).not.toEqual(plain.data);
  expect(document.data).toEqual(plain.data);
  const named = [query, byHand, document, plain].map(({ headers }) => headers.get('x-embedmill-prompt'));
  expect(named).toEqual(['query', 'none', 'none', 'none']);
});

it('says which prompt a job uses, and with its vectors', async () => {
  const response = await fetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'bge-zh:latest', input: ['fox'], input_type: 'search_query' }),
  });
  const job = (await response.json()) as { id: string; prompt: string };
  expect([response.status, job.prompt, response.headers.get('x-embedmill-prompt')]).toEqual([202, 'query', 'query']);
  const read = await fetch(`${api.url}/v1/jobs/${job.id}?wait=30`);
  expect(((await read.json()) as { prompt: string }).prompt).toBe('query');
  const results = await fetch(`${api.url}/v1/jobs/${job.id}/results`);
  expect(results.headers.get('x-embedmill-prompt')).toBe('query');
});

it('lists the prompts of a model with their texts', async () => {
  const model = (await (await fetch(`${api.url}/v1/models/bge-zh:latest`)).json()) as object;
  expect(model).toMatchObject({
    prompts: ['query'],
    prompt_texts: { query: '为这个句子生成表示以用于检索相关文章：' },
    default_prompt_name: null,
    truncate: 'end',
    instruction: null,
  });
});

it.each<[string, object, string, RegExp]>([
  [
    'prompt_name',
    { prompt_name: 'long' },
    'org/small',
    /^The prompt of prompt_name has 16 tokens .* "org\/small" takes 16/,
  ],
  ['input_type', { input_type: 'long' }, 'org/small', /^The prompt of input_type has 16 tokens/],
  ['instruction', { instruction: 'fox '.repeat(13).trim() }, 'instructed', /^The prompt of instruction has 16 tokens/],
])(
  'refuses a prompt of %s that leaves a text no room, before anything is enqueued',
  async (param, options, model, text) => {
    const error = {
      type: 'invalid_request_error',
      code: 'prompt_too_long',
      param,
      message: expect.stringMatching(text),
    };
    expect(await post({ model, input: ['a', 'b'], ...options })).toMatchObject({ status: 400, error });
    const response = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: ['a', 'b'], ...options }),
    });
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  },
);

it('a prompt that leaves a text one token is used', async () => {
  const instruction = 'fox '.repeat(12).trim();
  const answer = await post({ model: 'instructed', input: ['a', 'fox'], instruction });
  expect([answer.status, answer.headers.get('x-embedmill-prompt')]).toEqual([200, 'instruction']);
  expect(answer.data[0]!.embedding).not.toEqual(answer.data[1]!.embedding);
});

it('gives many concurrent requests each their own vectors', async () => {
  const texts = Array.from({ length: 60 }, (_, n) => `text number ${n}`);
  const together = await Promise.all(texts.map((input) => vector({ input })));
  const lists: number[][] = [];
  for (let n = 0; n < texts.length; n += 6) {
    const answer = await post({ model: 'org/small', input: texts.slice(n, n + 6), priority: 'normal' });
    lists.push(...answer.data.map(({ embedding }) => embedding as number[]));
  }
  expect(together).toEqual(lists);
});

it.each<[string, unknown, number, string, string | null, RegExp]>([
  ['no model', { input: 'x' }, 400, 'missing_field', 'model', /^model is missing: it must be a string\.$/],
  ['no input', { model: 'org/small' }, 400, 'missing_field', 'input', /^input is missing: it must be /],
  ['a model that is no name', { model: 'a b', input: 'x' }, 404, 'model_not_found', 'model', /"a b"/],
  [
    'an unknown prompt',
    { model: 'org/small', input: 'x', prompt_name: 'passage' },
    400,
    'unknown_prompt',
    'prompt_name',
    /"passage" is not known .* "query", "long", "none"/,
  ],
  [
    'an unknown input type',
    { model: 'org/small', input: 'x', input_type: 'classification' },
    400,
    'unknown_prompt',
    'input_type',
    /"query", "document"/,
  ],
  ['an unknown model', { model: 'none', input: 'x' }, 404, 'model_not_found', 'model', /"none".*"org\/small"/],
  ['an empty string', { model: 'org/small', input: '' }, 400, 'empty_text', 'input', /empty text/],
  ['an empty list', { model: 'org/small', input: [] }, 400, 'empty_input', 'input', /empty list/],
  ['an empty text', { model: 'org/small', input: ['a', ''] }, 400, 'empty_text', 'input[1]', /empty text/],
  [
    'a number among texts',
    { model: 'org/small', input: ['a', 5] },
    400,
    'invalid_value',
    'input[1]',
    /must be a string. It is 5/,
  ],
  ['an object', { model: 'org/small', input: { a: 1 } }, 400, 'invalid_value', 'input', /It is an object/],
  [
    'a broken id list',
    { model: 'org/small', input: [[1], [-1]] },
    400,
    'invalid_value',
    'input[1][0]',
    /at least 0. It is -1/,
  ],
  ['an id that is none', { model: 'org/small', input: [100_300] }, 400, 'invalid_token_id', 'input[0]', /cl100k_base/],
  [
    'too many inputs',
    { model: 'org/small', input: Array(9).fill('x') },
    400,
    'too_many_inputs',
    'input',
    /9 items.* 8 .*EMBED_MAX_INPUTS.*\/v1\/jobs/,
  ],
  [
    'a large text',
    { model: 'org/small', input: ['x', 'y'.repeat(201)] },
    400,
    'text_too_large',
    'input[1]',
    /201 bytes.*200.*EMBED_MAX_TEXT_BYTES/,
  ],
  [
    'a long text refused',
    { model: 'org/small', input: ['x', LONG], truncate: 'error' },
    400,
    'text_too_long',
    'input[1]',
    /17 tokens.* 16 /,
  ],
  [
    'a long text alone in a list',
    { model: 'org/small', input: [LONG], truncate: 'error' },
    400,
    'text_too_long',
    'input[0]',
    /^input\[0\] has 17 tokens/,
  ],
  [
    'a long text and no list',
    { model: 'org/small', input: LONG, truncate: 'error' },
    400,
    'text_too_long',
    'input',
    /^input has 17 tokens/,
  ],
  [
    'wide dimensions',
    { model: 'org/small', input: 'x', dimensions: 33 },
    400,
    'invalid_dimensions',
    'dimensions',
    /32.*33/,
  ],
  [
    'no dimensions',
    { model: 'org/small', input: 'x', dimensions: 0 },
    400,
    'invalid_value',
    'dimensions',
    /at least 1. It is 0/,
  ],
  [
    'an odd encoding',
    { model: 'org/small', input: 'x', encoding_format: 'hex' },
    400,
    'invalid_value',
    'encoding_format',
    /"float", "base64"/,
  ],
  [
    'an odd option',
    { model: 'org/small', input: 'x', truncate: 'none' },
    400,
    'invalid_value',
    'truncate',
    /"error", "end", "start", "middle"/,
  ],
  ['broken JSON', '{"model": ', 400, 'invalid_json', null, /not valid JSON/],
  ['a body that is no object', '[1]', 400, 'invalid_value', null, /The body must be an object/],
  ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, 'invalid_utf8', null, /UTF-8/],
  [
    'a large body',
    { model: 'org/small', input: ['z'.repeat(5000)] },
    413,
    'body_too_large',
    null,
    /4096.*EMBED_MAX_BODY_BYTES/,
  ],
])('refuses %s', async (_name, body, status, code, param, message) => {
  const answer = await post(body);
  expect(answer.status).toBe(status);
  expect(answer.error).toEqual({ type: 'invalid_request_error', code, param, message: expect.stringMatching(message) });
});

it('refuses other content types, unknown routes and unknown models by name', async () => {
  expect(await post('model=x', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({
    status: 415,
    error: {
      code: 'unsupported_media_type',
      param: 'content-type',
      message: expect.stringContaining('application/json'),
    },
  });
  const nowhere = await fetch(`${api.url}/v1/nowhere`);
  expect([nowhere.status, ((await nowhere.json()) as Answer).error.code]).toEqual([404, 'not_found']);
  const model = await fetch(`${api.url}/v1/models/org/none`);
  expect([model.status, ((await model.json()) as Answer).error.code]).toEqual([404, 'model_not_found']);
  const percent = await fetch(`${api.url}/v1/models/100%25`);
  expect([percent.status, ((await percent.json()) as Answer).error.code]).toEqual([404, 'model_not_found']);
  for (const name of ['org/small', 'org%2Fsmall']) {
    const known = await fetch(`${api.url}/v1/models/${name}`);
    expect([known.status, await known.json()]).toEqual([
      200,
      expect.objectContaining({ id: 'org/small', ready_workers: 1 }),
    ]);
  }
});

it('refuses lines, compressed bodies and malformed URLs as what they are', async () => {
  expect(await post('"a"\n', { 'content-type': 'application/x-ndjson' })).toMatchObject({
    status: 415,
    error: { code: 'unsupported_media_type' },
  });
  const packed = gzipSync(JSON.stringify({ model: 'org/small', input: 'x' }));
  expect(await post(packed, { 'content-encoding': 'gzip' })).toMatchObject({
    status: 415,
    error: {
      code: 'unsupported_content_encoding',
      param: 'content-encoding',
      message: expect.stringContaining('gzip'),
    },
  });
  const nonsense = await fetch(`${api.url}/v1/models/%zz`);
  expect([nonsense.status, nonsense.headers.get('x-request-id')]).toEqual([400, expect.stringMatching(/\S{8}/)]);
  expect(((await nonsense.json()) as Answer).error).toMatchObject({ type: 'invalid_request_error', code: 'bad_url' });
});

it('takes a DELETE that names a type of the body it does not have', async () => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${api.url}/v1/jobs/job_00000000000000000000000000000000`, { method: 'DELETE', headers });
  expect([answer.status, ((await answer.json()) as Answer).error.code]).toEqual([404, 'job_not_found']);
});

it('hears a client out whose body it has refused already, so that the refusal is not lost', async () => {
  const length = 8 * 2 ** 20;
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
  socket.on('error', (error) => (heard += error.message));
  const head = ['host: localhost', 'content-type: application/json', `content-length: ${length}`].join('\r\n');
  socket.write(`POST /v1/embeddings HTTP/1.1\r\n${head}\r\n\r\n[`);
  await until('it is refused', () => heard.includes('body_too_large'));
  expect(heard).toMatch(/^HTTP\/1\.1 413 /);
  // The connection is whole: it takes the rest, and another request.
  socket.write(' '.repeat(length - 1));
  socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await until('the next request is answered', () => heard.includes('{"status":"ok"}'), { patienceMs: 10_000 });
  socket.destroy();
});

it('keeps a request id that is given, and makes one otherwise', async () => {
  expect(
    (await post({ model: 'org/small', input: 'x' }, { 'x-request-id': 'mine-1' })).headers.get('x-request-id'),
  ).toBe('mine-1');
  expect((await post({})).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect((await post({}, { 'x-request-id': 'x'.repeat(201) })).headers.get('x-request-id')).toHaveLength(36);
});

it('tells probes, Prometheus and readers how it is', async () => {
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
  const ready = await fetch(`${api.url}/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    {
      ready: true,
      redis: 'up',
      models: { 'org/small': 1, 'bge-zh:latest': 1, 'instructed': 1 },
      missing: [],
      paused: [],
    },
  ]);
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(metrics).toMatch(/^embedmill_workers_ready\{model="org\/small"\} 1$/m);
  expect(metrics).toMatch(/^embedmill_redis_up 1$/m);
  expect(metrics).toMatch(/^embedmill_cache_up 1$/m);
  expect(metrics).toMatch(/^embedmill_cache_lookups_total\{model="org\/small",result="hit"\} [1-9]/m);
  expect(metrics).toMatch(/^embedmill_queue_tasks\{model="org\/small",lane="bulk",state="waiting"\} 0$/m);
  expect(metrics).toMatch(
    /^embedmill_http_request_duration_seconds_count\{method="POST",route="\/v1\/embeddings",status="200"\} [1-9]/m,
  );
  expect(metrics).toMatch(/^# TYPE embedmill_coalesced_requests_total counter$/m);
  const reference = (await (await fetch(`${api.url}/docs-json`)).json()) as {
    paths: Record<string, Record<string, { responses: Record<string, { content: object }> }>>;
  };
  expect(reference.paths['/v1/embeddings']!['post']!.responses['default']!.content).toHaveProperty(
    ['application/json', 'schema', 'properties', 'error', 'required'],
    ['message', 'type', 'param', 'code'],
  );
  const routes = [
    '/v1/embeddings',
    '/v1/jobs',
    '/v1/jobs/{id}',
    '/v1/jobs/{id}/results',
    '/v1/models',
    '/v1/models/{id}',
    '/health/ready',
    '/metrics',
  ];
  expect(Object.keys(reference.paths)).toEqual(expect.arrayContaining(routes));
  expect(await (await fetch(`${api.url}/docs`)).text()).toContain('swagger');
});

it('is not ready, and says why, when no worker serves the model', async () => {
  const redis = await startRedis();
  const lonely = await startApi({ REDIS_URL: redis.url, EMBED_MODELS: 'nobody-serves-this' });
  try {
    const ready = await fetch(`${lonely.url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      ready: false,
      redis: 'up',
      missing: ['no worker serves model "nobody-serves-this"'],
    });
    const asked = await fetch(`${lonely.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'nobody-serves-this', input: 'x' }),
    });
    expect([asked.status, asked.headers.get('retry-after')]).toEqual([503, '5']);
    expect(((await asked.json()) as Answer).error.code).toBe('model_not_ready');
  } finally {
    await lonely.stop();
    await redis.stop();
  }
});
