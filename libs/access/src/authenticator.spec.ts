import { randomUUID } from 'node:crypto';
import { readEnvironment } from '#config';
import { Keys } from '#contracts';
import { connectRedis } from '#store';
import { startRedis } from '../../../test/support/redis.js';
import { until } from '../../../test/support/until.js';
import { ApiKeys, holdsKey, type NewKey } from './api-keys.js';
import { Authenticator } from './authenticator.js';
import { KeyRefusedError } from './key-refused.js';

const ADMIN_KEY = 'a'.repeat(32);
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
let keys: ApiKeys;
let authenticator: Authenticator;

beforeEach(() => {
  keys = new ApiKeys(redis, new Keys(randomUUID()));
  authenticator = new Authenticator(keys, readEnvironment({ EMBED_AUTH: 'on', EMBED_ADMIN_KEY: ADMIN_KEY }));
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const wanted: NewKey = {
  name: 'n',
  tenant: 't',
  scopes: ['embed'],
  limits: { requestsPerMinute: 5, tokensPerMinute: null },
  cacheSalt: 'pepper',
  expiresAt: null,
};

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(KeyRefusedError);
  return (error as KeyRefusedError).code;
}

it('tells who holds a key, and notes that it was used', async () => {
  const { key, record } = await keys.create(wanted);
  const { limits, cacheSalt, tenant, scopes } = wanted;
  expect(await authenticator.require(`Bearer ${key}`, 'embed')).toEqual({
    keyId: record.id,
    tenant,
    scopes,
    limits,
    cacheSalt,
  });
  await until('its use is noted', async () => typeof (await keys.get(record.id))?.lastUsedAt === 'number');
});

it('refuses whoever has no good key, and says why', async () => {
  const { key } = await keys.create(wanted);
  const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
  const { key: expired } = await keys.create({ ...wanted, expiresAt: Date.now() - 1 });
  expect(await refusal(authenticator.require(undefined, 'embed'))).toBe('missing_api_key');
  expect(await refusal(authenticator.require(`Basic ${key}`, 'embed'))).toBe('missing_api_key');
  for (const bad of [wrong, 'em_', 'x', `${ADMIN_KEY}a`]) {
    expect(await refusal(authenticator.require(`Bearer ${bad}`, 'embed'))).toBe('invalid_api_key');
  }
  expect(await refusal(authenticator.callerOfKey(expired))).toBe('api_key_expired');
  expect(await refusal(authenticator.require(`Bearer ${key}`, 'admin'))).toBe('insufficient_scope');
});

it('refuses a key that was revoked: here at once, elsewhere within seconds', async () => {
  const { key, record } = await keys.create(wanted);
  const elsewhere = new Authenticator(keys, readEnvironment({ EMBED_AUTH: 'on' }));
  for (const one of [authenticator, elsewhere]) await one.callerOfKey(key);
  await keys.revoke(record.id);
  authenticator.forget();
  expect(await refusal(authenticator.callerOfKey(key))).toBe('api_key_revoked');
  expect(await refusal(authenticator.callerOfKeyId(record.id))).toBe('api_key_revoked');
  await until('it is refused elsewhere', () =>
    elsewhere.callerOfKey(key).then(
      () => false,
      () => true,
    ),
  );
});

it('takes the key of the environment for an admin, until another one is there', async () => {
  const caller = await authenticator.require(`bearer ${ADMIN_KEY}`, 'admin');
  expect(caller.scopes).toEqual(['admin']);
  expect(await authenticator.callerOfKeyId(caller.keyId!)).toEqual(caller);
  const replaced = new Authenticator(keys, readEnvironment({ EMBED_AUTH: 'on', EMBED_ADMIN_KEY: 'b'.repeat(32) }));
  expect(await refusal(replaced.callerOfKeyId(caller.keyId!))).toBe('invalid_api_key');
  expect(await refusal(replaced.callerOfKey(ADMIN_KEY))).toBe('invalid_api_key');
});

it('keeps no secret, and knows a key wherever it stands', async () => {
  const { key, record } = await keys.create(wanted);
  const stored: string[] = [];
  for (const name of await redis.keys('*')) {
    if ((await redis.type(name)) === 'hash') stored.push(JSON.stringify(await redis.hgetall(name)));
  }
  const secret = key.slice(key.indexOf('_', 3) + 1);
  expect(stored.join()).toContain(record.id);
  expect(stored.join()).not.toContain(secret);
  expect(holdsKey(`GET /v1/jobs?key=${key}&x=1`)).toBe(true);
  expect(holdsKey('GET /v1/jobs?key=em_x')).toBe(false);
});
