import { type ApiKeyObject, apiKeyObjectSchema, type JobList, type JobObject, Keys, type NewApiKey } from '#contracts';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ApiKeys } from '#access';
import { connectRedis } from '#store';
import { Deployment, MODEL } from '../support/deployment.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

const ADMIN_KEY = 'an-admin-key-of-forty-characters-or-more';

const deployment = await Deployment.start();
const environment = { EMBED_AUTH: 'on', EMBED_ADMIN_KEY: ADMIN_KEY, EMBED_CORS_ORIGINS: 'https://app.example' };
let api: Service;
let worker: Service;
const redis = connectRedis(deployment.queue.url, 'worker', 'test');
const store = new ApiKeys(redis, new Keys('em'));

beforeAll(async () => {
  [api, worker] = await Promise.all([deployment.api(environment), deployment.worker(environment)]);
});
afterAll(async () => {
  redis.disconnect();
  await deployment.stop();
});

interface Ask {
  readonly key?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(path: string, { key, method, body, headers = {} }: Ask = {}): Promise<Response> {
  return fetch(new URL(path, api.url), {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function codeOf(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
}

async function makeKey(wanted: Partial<NewApiKey> & { name: string }): Promise<ApiKeyObject & { key: string }> {
  const response = await ask('/admin/v1/keys', { key: ADMIN_KEY, body: wanted });
  expect(response.status).toBe(201);
  return apiKeyObjectSchema.required({ key: true }).parse(await response.json());
}

const job = { model: MODEL, input: ['one text', 'another'] };
const embeddings = { model: MODEL, input: 'a text' };

describe('every route', () => {
  it('asks for its scope, and those without one only where nothing is told', async () => {
    const keys: Record<string, string> = {};
    for (const scope of ['embed', 'jobs', 'metrics'] as const) {
      keys[scope] = (await makeKey({ name: scope, scopes: [scope] })).key;
    }
    keys['admin'] = ADMIN_KEY;
    const routes: [scope: string, path: string, ask?: Ask][] = [
      ['embed', '/v1/embeddings', { body: embeddings }],
      ['embed', '/v1/models'],
      ['embed', `/v1/models/${MODEL}`],
      ['jobs', '/v1/jobs', { body: job }],
      ['jobs', '/v1/jobs'],
      ['metrics', '/metrics'],
      ['admin', '/admin/v1/snapshot'],
      ['admin', '/admin/v1/history'],
      ['admin', '/admin/v1/keys'],
      ['admin', '/admin/v1/jobs'],
      ['admin', '/admin/v1/audit'],
      ['admin', '/admin/v1/live'],
      ['admin', '/admin/v1/playground', { body: { model: MODEL, input: ['a text'] } }],
      ['admin', '/dashboard/queues/'],
      ['admin', '/dashboard/queues/api/queues'],
    ];
    for (const [scope, path, how] of routes) {
      expect([path, ...(await codeOf(await ask(path, how)))]).toEqual([path, 401, 'missing_api_key']);
      for (const [has, key] of Object.entries(keys)) {
        const response = await ask(path, { ...how, key });
        if (has === scope || has === 'admin') expect([path, has, response.ok]).toEqual([path, has, true]);
        else expect([path, has, ...(await codeOf(response))]).toEqual([path, has, 403, 'insufficient_scope']);
        await response.body?.cancel().catch(() => undefined);
      }
    }
    for (const path of ['/health/live', '/health/ready', '/dashboard/session', '/docs-json']) {
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
    }
  });

  it('is refused before a body is read', async () => {
    // Its end never comes: only an answer that does not wait for it is one.
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('"text"\n')) });
    const response = await fetch(`${api.url}/v1/jobs?model=${MODEL}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: endless,
      duplex: 'half',
    });
    expect(await codeOf(response)).toEqual([401, 'missing_api_key']);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });
});

it('keeps no large body of somebody unknown in memory', async () => {
  for (const path of ['/dashboard/session', '/nowhere']) {
    const response = await ask(path, { body: { key: 'x'.repeat(20_000) } });
    expect([path, ...(await codeOf(response))]).toEqual([path, 413, 'body_too_large']);
  }
});

describe('a key', () => {
  it('is kept as a hash only, and told once', async () => {
    const { id, key } = await makeKey({ name: 'told once' });
    const everything = JSON.stringify(await redis.hgetall(`em:key:${id}`));
    expect(everything).not.toContain(key.slice(-20));
    const listed = await (await ask('/admin/v1/keys', { key: ADMIN_KEY })).text();
    expect(listed).toContain(id);
    expect(listed).not.toContain(key.slice(-20));
  });

  it('is nothing when it is wrong, expired or revoked', async () => {
    const { id, key } = await makeKey({ name: 'short-lived' });
    expect(await codeOf(await ask('/v1/models', { key: `${key.slice(0, -1)}!` }))).toEqual([401, 'invalid_api_key']);
    const other = `em_${'A'.repeat(12)}_${'b'.repeat(43)}`;
    expect(await codeOf(await ask('/v1/models', { key: other }))).toEqual([401, 'invalid_api_key']);

    expect((await ask('/v1/models', { key })).status).toBe(200);
    expect((await ask(`/admin/v1/keys/${id}`, { key: ADMIN_KEY, method: 'DELETE' })).status).toBe(200);
    expect(await codeOf(await ask('/v1/models', { key }))).toEqual([401, 'api_key_revoked']);

    const limits = { requestsPerMinute: null, tokensPerMinute: null };
    const expired = {
      name: 'old',
      tenant: 'a',
      limits,
      cacheSalt: '',
      expiresAt: Date.now() - 1,
      scopes: ['embed'] as const,
    };
    const old = await store.create({ ...expired, scopes: ['embed'] });
    expect(await codeOf(await ask('/v1/models', { key: old.key }))).toEqual([401, 'api_key_expired']);
  });

  it('revoked elsewhere is refused within seconds', async () => {
    const { id, key } = await makeKey({ name: 'revoked elsewhere' });
    expect((await ask('/v1/models', { key })).status).toBe(200);
    await store.revoke(id);
    await until('it is refused', async () => (await ask('/v1/models', { key })).status === 401, { patienceMs: 10_000 });
  });

  it('does not belong into a URL', async () => {
    const { key } = await makeKey({ name: 'in a URL' });
    for (const path of [`/v1/models?api_key=${key}`, `/v1/models?a=1&a=${key}`, `/v1/models/${key}`]) {
      expect(await codeOf(await ask(path, { key }))).toEqual([400, 'api_key_in_url']);
    }
  });

  it('is checked as any other input when it is made', async () => {
    const response = await ask('/admin/v1/keys', { key: ADMIN_KEY, body: { name: 'x', scopes: ['root'] } });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('scopes');
  });
});

describe('a tenant', () => {
  it("never sees another's jobs", async () => {
    const [a, b] = [await makeKey({ name: 'a', tenant: 'a' }), await makeKey({ name: 'b', tenant: 'b' })];
    const colleague = await makeKey({ name: 'a2', tenant: 'a' });
    const { id } = (await (await ask('/v1/jobs', { key: a.key, body: job })).json()) as JobObject;
    for (const path of [`/v1/jobs/${id}`, `/v1/jobs/${id}?wait=5`, `/v1/jobs/${id}/results`]) {
      expect([path, ...(await codeOf(await ask(path, { key: b.key })))]).toEqual([path, 404, 'job_not_found']);
    }
    expect((await ask(`/v1/jobs/${id}`, { key: b.key, method: 'DELETE' })).status).toBe(404);
    expect((await ask(`/v1/jobs/${id}/retry`, { key: b.key, method: 'POST' })).status).toBe(404);
    expect(await jobsOf(b.key)).toEqual([]);
    for (const key of [a.key, colleague.key, ADMIN_KEY]) {
      expect((await ask(`/v1/jobs/${id}?wait=30`, { key })).status).toBe(200);
      expect(await jobsOf(key)).toContain(id);
    }
    const done = (await (await ask(`/v1/jobs/${id}?wait=30`, { key: a.key })).json()) as JobObject;
    expect(done.state).toBe('completed');
  });

  it('with a cache salt shares no cache entries with others', async () => {
    const plain = await makeKey({ name: 'plain', tenant: 'plain' });
    const salted = await makeKey({ name: 'salted', tenant: 'salted', cache_salt: 'ours alone' });
    const again = await makeKey({ name: 'salted too', tenant: 'salted', cache_salt: 'ours alone' });
    const body = { model: MODEL, input: ['a text that only this test has'] };
    const cached = async (key: string) => {
      const response = await ask('/v1/embeddings', { key, body });
      expect(response.status).toBe(200);
      return response.headers.get('x-embedmill-cached');
    };
    expect(await cached(plain.key)).toBe('0');
    expect(await cached(plain.key)).toBe('1');
    expect(await cached(salted.key)).toBe('0');
    expect(await cached(again.key)).toBe('1');
  });
});

describe('the dashboard', () => {
  it('signs in with an admin key, changes things only with its token, and signs out', async () => {
    const { key } = await makeKey({ name: 'no admin' });
    expect(await codeOf(await ask('/dashboard/session', { body: { key } }))).toEqual([403, 'insufficient_scope']);
    expect(await codeOf(await ask('/dashboard/session', { body: { key: 'nonsense' } }))).toEqual([
      401,
      'invalid_api_key',
    ]);

    const signedIn = await ask('/dashboard/session', { body: { key: ADMIN_KEY } });
    expect(signedIn.status).toBe(200);
    const set = signedIn.headers.get('set-cookie') ?? '';
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Strict/);
    expect(set).not.toContain(ADMIN_KEY);
    const cookie = set.split(';')[0]!;
    const { csrf_token: token } = (await signedIn.json()) as { csrf_token: string };

    expect((await ask('/admin/v1/snapshot', { headers: { cookie } })).status).toBe(200);
    const body = { name: 'made in the dashboard' };
    expect(await codeOf(await ask('/admin/v1/keys', { body, headers: { cookie } }))).toEqual([
      403,
      'invalid_csrf_token',
    ]);
    const made = await ask('/admin/v1/keys', { body, headers: { cookie, 'x-csrf-token': token } });
    expect(made.status).toBe(201);
    const forged = { cookie, 'x-csrf-token': token, 'origin': 'https://evil.example' };
    expect(await codeOf(await ask('/admin/v1/keys', { body, headers: forged }))).toEqual([403, 'cross_site_request']);

    const out = await ask('/dashboard/session', { method: 'DELETE', headers: { cookie, 'x-csrf-token': token } });
    expect(out.status).toBe(204);
    expect((await ask('/admin/v1/snapshot', { headers: { cookie } })).status).toBe(401);
  });

  it('is closed to sessions of an EMBED_ADMIN_KEY that was replaced', async () => {
    const signedIn = await ask('/dashboard/session', { body: { key: ADMIN_KEY } });
    const headers = { cookie: (signedIn.headers.get('set-cookie') ?? '').split(';')[0]! };
    expect((await ask('/admin/v1/snapshot', { headers })).status).toBe(200);
    const next = await deployment.api({ ...environment, EMBED_ADMIN_KEY: ADMIN_KEY.toUpperCase() });
    expect((await fetch(`${next.url}/admin/v1/snapshot`, { headers })).status).toBe(401);
    await next.stop();
  });

  it('is no place to guess keys at', async () => {
    const guess = () => ask('/dashboard/session', { body: { key: 'guessed' } });
    const statuses = [];
    for (let n = 0; n < 12; n++) statuses.push((await guess()).status);
    expect(statuses.at(-1)).toBe(429);
  });
});

it('answers pages of named origins only, and sends headers that browsers heed', async () => {
  const preflight = (origin: string) =>
    ask('/v1/embeddings', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
  expect((await preflight('https://app.example')).headers.get('access-control-allow-origin')).toBe(
    'https://app.example',
  );
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  const { headers } = await ask('/health/live');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
});

it('is made, listed and revoked from the command line as well, the first one by Redis alone', async () => {
  const entry = fileURLToPath(new URL('../../apps/cli/src/main.js', import.meta.url));
  const cli = async (...args: string[]) => {
    const env = { PATH: process.env['PATH'], REDIS_URL: deployment.queue.url, EMBEDMILL_API_KEY: ADMIN_KEY };
    return (await promisify(execFile)(process.execPath, [entry, 'keys', ...args], { env })).stdout.trim();
  };
  const key = await cli('create', '--name', 'by hand', '--scopes', 'embed', '--expires', '1h');
  expect((await ask('/v1/models', { key })).status).toBe(200);
  const id = key.split('_')[1]!;
  expect(await cli('list')).toMatch(new RegExp(`^${id}  active .* by hand$`, 'm'));
  expect(await cli('revoke', id, '--url', api.url)).toContain('revoked');
  expect(await codeOf(await ask('/v1/models', { key }))).toEqual([401, 'api_key_revoked']);
  const refused = { code: 2, stderr: expect.stringMatching(/^embedmill: scopes\b/) };
  await expect(cli('create', '--name', 'x', '--scopes', 'root')).rejects.toMatchObject(refused);
});

it('writes no key into logs', async () => {
  const { key } = await makeKey({ name: 'logged' });
  await ask('/v1/embeddings', { key, body: { model: 'none', input: 'x' } });
  await ask('/v1/models', { key: `${key}x` });
  expect(api.output()).toContain('API keys are asked for');
  for (const secret of [key.slice(-20), ADMIN_KEY]) expect(api.output() + worker.output()).not.toContain(secret);
});

it("tells a worker's metrics to those who may, its health to all", async () => {
  expect((await fetch(`${worker.url}/metrics`)).status).toBe(401);
  expect((await fetch(`${worker.url}/health/live`)).status).toBe(200);
  const { key } = await makeKey({ name: 'scraper', scopes: ['metrics'] });
  const scrape = (token: string) => fetch(`${worker.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  expect((await scrape(key)).status).toBe(200);
  expect((await scrape(ADMIN_KEY)).status).toBe(200);
  expect((await scrape((await makeKey({ name: 'other' })).key)).status).toBe(403);
});

async function jobsOf(key: string): Promise<string[]> {
  const list = (await (await ask('/v1/jobs', { key })).json()) as JobList;
  return list.data.map(({ id }) => id);
}
