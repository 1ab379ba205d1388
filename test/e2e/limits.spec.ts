import { connect } from 'node:net';
import { type JobList, Keys, type RateLimits } from '#contracts';
import { ApiKeys } from '#access';
import { connectRedis } from '#store';
import { Deployment, MODEL } from '../support/deployment.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

const deployment = await Deployment.start();
const redis = connectRedis(deployment.queue.url, 'worker', 'test');
const keys = new ApiKeys(redis, new Keys('em'));
let api: Service;
let other: Service;

beforeAll(async () => {
  const environment = { EMBED_AUTH: 'on', EMBED_BODY_TIMEOUT_MS: '4000' };
  const [fewOpen, ordinary] = [deployment.api(environment, { mostOpenRequests: 3 }), deployment.api(environment)];
  [api, other] = await Promise.all([fewOpen, ordinary, deployment.worker()]);
});
afterAll(async () => {
  redis.disconnect();
  await deployment.stop();
});

async function newKey(limits: Partial<RateLimits>): Promise<string> {
  const wanted = { name: 'limited', tenant: 'default', cacheSalt: '', expiresAt: null };
  const { key } = await keys.create({
    ...wanted,
    scopes: ['embed', 'jobs'],
    limits: { requestsPerMinute: null, tokensPerMinute: null, ...limits },
  });
  return key;
}

function post(url: string, path: string, key: string, body: unknown): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const embed = (service: Service, key: string, input: string | string[] = 'a text') =>
  post(service.url, '/v1/embeddings', key, { model: MODEL, input });
const header = (response: Response, name: string) => response.headers.get(`x-ratelimit-${name}`);

it('counts requests of a key over all API processes, and tells what is left as OpenAI does', async () => {
  const key = await newKey({ requestsPerMinute: 4 });
  const answers = [];
  for (const service of [api, other, api, other]) answers.push(await embed(service, key));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(answers.map((answer) => header(answer, 'remaining-requests'))).toEqual(['3', '2', '1', '0']);
  expect(header(answers[0]!, 'limit-requests')).toBe('4');
  expect(header(answers[0]!, 'reset-requests')).toMatch(/^(1m0s|\d+(\.\d)?s)$/);

  const refused = await embed(api, key);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    error: { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: expect.stringContaining('4 requests') },
  });
  const list = await fetch(`${api.url}/v1/jobs`, { headers: { authorization: `Bearer ${key}` } });
  expect(list.status).toBe(200);
  expect((await embed(api, await newKey({ requestsPerMinute: 4 }))).status).toBe(200);
});

it('counts tokens: as estimated at first, then as they were', async () => {
  const key = await newKey({ tokensPerMinute: 100 });
  const first = await embed(api, key, 'x'.repeat(40));
  expect(header(first, 'remaining-tokens')).toBe('90');
  const { usage } = (await first.json()) as { usage: { total_tokens: number } };
  const second = await embed(other, key, 'y');
  expect(Number(header(second, 'remaining-tokens'))).toBe(100 - usage.total_tokens - 1);

  expect(
    (
      await embed(
        api,
        key,
        Array.from({ length: 40 }, (_, n) => `${n} ${'z'.repeat(97)}`),
      )
    ).status,
  ).toBe(400);
  const tooMany = await embed(api, key, ['v'.repeat(196), 'w'.repeat(196)]);
  expect([tooMany.status, ((await tooMany.json()) as { error: { code: string } }).error.code]).toEqual([
    429,
    'rate_limit_exceeded',
  ]);
  // What was refused has not been counted.
  expect((await embed(api, key, 'small')).status).toBe(200);
});

it('slows an upload to its key’s tokens instead of refusing it', async () => {
  const key = await newKey({ tokensPerMinute: 2000 });
  const gone = new AbortController();
  const lines = Array.from({ length: 4096 }, (_, n) => `"${n}"`).join('\n');
  const upload = fetch(`${api.url}/v1/jobs?model=${MODEL}`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
    body: lines,
    signal: gone.signal,
  }).catch(() => 'broken off');
  const accepted = async () => {
    const list = await fetch(`${api.url}/v1/jobs`, { headers: { authorization: `Bearer ${key}` } });
    return ((await list.json()) as JobList).data.find(({ state }) => state === 'receiving')?.counts.texts;
  };
  await until('the first window is accepted, the second waits', async () => (await accepted()) === 1024);
  gone.abort();
  expect(await upload).toBe('broken off');
});

it('lets one key hold only so many requests open', async () => {
  const key = await newKey({});
  const headers = { authorization: `Bearer ${key}` };
  // Uploads that do not end, one more than the key may have.
  const held = [1, 2, 3, 4].map(async (n) => {
    const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(`"held ${n}"\n`)) });
    const response = await fetch(`${api.url}/v1/jobs?model=${MODEL}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
      body,
      duplex: 'half',
    });
    return response.status;
  });
  expect(await Promise.race(held)).toBe(429);
  expect((await embed(api, await newKey({}))).status).toBe(200);
  // They say nothing any more, and are ended for it: what they held is free again.
  expect((await Promise.all(held)).sort()).toEqual([408, 408, 408, 429]);
  await until('there is room again', async () => (await fetch(`${api.url}/v1/models`, { headers })).status === 200);
});

it('forgets requests whose clients have gone before it knew who they are', async () => {
  const key = await newKey({});
  const request = `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n\r\n`;
  const gone = Array.from({ length: 20 }, async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1').on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(request, () => socket.resetAndDestroy());
    await closed;
  });
  await Promise.all(gone);
  const ask = () => fetch(`${api.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  await until('the key may ask again', async () => (await ask()).status === 200);
});

it('does not wait for ever for a JSON body that trickles in', async () => {
  const key = await newKey({});
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
  const head = `POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n`;
  socket.write(`${head}content-type: application/json\r\ncontent-length: 100000\r\n\r\n{`);
  const trickle = setInterval(() => socket.write(' '), 100);
  await until('it is ended', () => heard.includes('408 Request Timeout') && heard.includes('body_timeout'));
  clearInterval(trickle);
  socket.destroy();
});
