import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from '../../apps/cli/src/free-port.js';
import { Deployment, MODEL } from '../support/deployment.js';
import { quickApi } from '../support/quick.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { runToExit, type Service } from '../support/services.js';
import { until } from '../support/until.js';

const PASSWORD = 'a-password-that-no-log-may-have';
const WRONG = 'another-that-no-log-may-have';
const ADMIN_KEY = 'an-admin-key-of-forty-characters-or-more';
const run = promisify(execFile);

const folder = await mkdtemp(join(tmpdir(), 'embedmill-tls-'));
const path = (name: string) => join(folder, name);
const tlsPort = await freePort();
let server: RedisServer;
/** Without TLS, as Redis's default user, which nothing of ours is: to look from outside. */
let outside: Redis;
let deployment: Deployment;
let environment: Record<string, string>;
let api: Service;
let worker: Service;

beforeAll(async () => {
  await makeCertificates();
  await writeFile(path('users.acl'), `user default on nopass ~* &* +@all\n${await documentedUser()}\n`);
  server = await startRedis({
    aof: true,
    args: [
      ...['--tls-port', String(tlsPort), '--tls-auth-clients', 'yes', '--tls-ca-cert-file', path('ca.crt')],
      ...['--tls-cert-file', path('server.crt'), '--tls-key-file', path('server.key'), '--aclfile', path('users.acl')],
    ],
  });
  outside = new Redis(server.url);
  deployment = await Deployment.start();
  environment = {
    REDIS_URL: redisUrl(PASSWORD),
    EMBED_CACHE_REDIS_URL: redisUrl(PASSWORD),
    EMBED_REDIS_TLS_CA: path('ca.crt'),
    EMBED_REDIS_TLS_CERT: path('client.crt'),
    EMBED_REDIS_TLS_KEY: path('client.key'),
    EMBED_AUTH: 'on',
    EMBED_ADMIN_KEY: ADMIN_KEY,
    EMBED_RATE_REQUESTS_PER_MINUTE: '1000',
  };
  [api, worker] = await Promise.all([deployment.api(environment), deployment.worker(environment)]);
}, 60_000);

afterAll(async () => {
  outside.disconnect();
  await deployment.stop();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('works through TLS as the restricted user of docs/security.md, who is refused nothing that is needed', async () => {
  const { id: keyId } = (await (await ask('/admin/v1/keys', { name: 'client' })).json()) as { id: string };
  expect((await ask('/v1/embeddings', { model: MODEL, input: 'a text' })).status).toBe(200);
  const input = Array.from({ length: 200 }, (_, n) => `text number ${n}`);
  const { id } = (await (await ask('/v1/jobs', { model: MODEL, input })).json()) as { id: string };
  const done = (await (await ask(`/v1/jobs/${id}?wait=30`)).json()) as { state: string };
  expect(done.state).toBe('completed');
  expect((await ask(`/v1/jobs/${id}/results`)).status).toBe(200);

  const action = (name: string) => ({ action: name, model: MODEL, lane: 'bulk' });
  expect((await ask('/admin/v1/queues/actions', action('pause'))).ok).toBe(true);
  const held = (await (await ask('/v1/jobs', { model: MODEL, input: ['held'] })).json()) as { id: string };
  expect((await ask(`/v1/jobs/${held.id}`, undefined, 'DELETE')).status).toBe(200);
  for (const name of ['resume', 'retry-failed', 'clean']) {
    expect([name, (await ask('/admin/v1/queues/actions', action(name))).ok]).toEqual([name, true]);
  }
  const looks = ['snapshot', 'history', 'jobs', `jobs/${id}`, 'audit', 'keys'].map((p) => `/admin/v1/${p}`);
  for (const look of [...looks, '/metrics', '/health/ready', '/dashboard/queues/api/queues']) {
    expect([look, (await ask(look)).status]).toEqual([look, 200]);
  }
  const session = await ask('/dashboard/session', { key: ADMIN_KEY });
  expect(session.status).toBe(200);
  expect((await ask(`/admin/v1/keys/${keyId}`, undefined, 'DELETE')).status).toBe(200);
  const cli = fileURLToPath(new URL('../../apps/cli/src/main.js', import.meta.url));
  const { stdout } = await run(process.execPath, [cli, 'keys', 'list'], {
    env: { PATH: process.env['PATH'], ...environment },
  });
  expect(stdout).toContain(keyId);

  const clients = (await outside.client('LIST')) as string;
  const ours = clients.split('\n').filter((line) => line.includes('name=embedmill'));
  expect(ours.length).toBeGreaterThan(4);
  for (const line of ours) expect(line).toMatch(new RegExp(`laddr=127\\.0\\.0\\.1:${tlsPort} .*user=embedmill`));
  expect(await outside.acl('LOG')).toEqual([]);
});

it('that user can do nothing with what is not ours', async () => {
  await outside.set('others', 'secret');
  const user = new Redis(server.port, { username: 'embedmill', password: PASSWORD });
  try {
    await expect(user.get('others')).rejects.toThrow('NOPERM');
    for (const command of ['FLUSHALL', 'CONFIG GET *', 'ACL LIST', 'SHUTDOWN', 'KEYS *', 'MONITOR']) {
      const [name = '', ...args] = command.split(' ');
      expect([command, await user.call(name, args).catch(String)]).toEqual([
        command,
        expect.stringContaining('NOPERM'),
      ]);
    }
  } finally {
    user.disconnect();
  }
});

it('does not start with a server that it cannot trust, or one that does not trust it', async () => {
  const standIn = quickApi({ redisPatienceMs: 4000 });
  const { EMBED_REDIS_TLS_CA: _ca, ...strangers } = environment;
  const bare = { ...deployment.environment, ...environment, REDIS_URL: redisUrl(WRONG) };
  const [distrusted, refused] = await Promise.all([
    runToExit('api', { ...deployment.environment, ...strangers }, { standIn }),
    runToExit('api', bare, { standIn }),
  ]);
  expect(distrusted.code).toBe(1);
  expect(distrusted.stderr).toMatch(/certificate/);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/WRONGPASS/);
  for (const { stdout, stderr } of [distrusted, refused]) {
    expect(stdout + stderr).not.toContain(PASSWORD);
    expect(stdout + stderr).not.toContain(WRONG);
  }
}, 30_000);

it('comes back when the server does, and writes no password into logs', async () => {
  await server.kill();
  await until('requests are refused', async () => (await ask('/v1/jobs')).status === 503);
  await server.start();
  await until('requests are answered', async () => (await ask('/v1/jobs')).status === 200);
  for (const { output } of [api, worker]) expect(output()).not.toContain(PASSWORD);
}, 30_000);

function redisUrl(password: string): string {
  return `rediss://embedmill:${password}@127.0.0.1:${tlsPort}`;
}

function ask(where: string, body?: object, method = body === undefined ? 'GET' : 'POST'): Promise<Response> {
  return fetch(new URL(where, api.url), {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The line that operators copy. */
async function documentedUser(): Promise<string> {
  const text = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const line = /^user embedmill on >PASSWORD .*$/m.exec(text)?.[0];
  if (line === undefined) throw new Error('docs/security.md names no ACL user');
  return line.replace('PASSWORD', PASSWORD);
}

/** An authority, and certificates of it for the server and for our processes. */
async function makeCertificates(): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const openssl = (...args: string[]) => run('openssl', ['req', '-x509', ...key, ...args]);
  await openssl('-keyout', path('ca.key'), '-out', path('ca.crt'), '-subj', '/CN=authority');
  for (const name of ['server', 'client']) {
    const issuer = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-addext', 'basicConstraints=critical,CA:FALSE'];
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    await openssl('-keyout', path(`${name}.key`), '-out', path(`${name}.crt`), ...issuer, ...subject);
  }
}
