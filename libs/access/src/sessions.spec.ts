import { randomUUID } from 'node:crypto';
import { Keys } from '#contracts';
import { connectRedis } from '#store';
import { startRedis } from '../../../test/support/redis.js';
import { Sessions } from './sessions.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
let sessions: Sessions;

beforeEach(async () => {
  await redis.flushall();
  sessions = new Sessions(redis, new Keys(randomUUID()), { ttlSeconds: 60 });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

it('knows a browser by what its cookie holds, until it signs out or the time is over', async () => {
  const { token, session } = await sessions.create('k');
  expect(session.keyId).toBe('k');
  expect(await sessions.get(token)).toEqual(session);
  expect(await sessions.get(`${token}x`)).toBeNull();
  const [key] = await redis.keys('*');
  expect(await redis.ttl(key!)).toBeGreaterThan(50);
  await sessions.remove(token);
  expect(await sessions.get(token)).toBeNull();
});

it('keeps nothing that a cookie could be made of', async () => {
  const { token } = await sessions.create('k');
  const [key] = await redis.keys('*');
  expect(`${key} ${await redis.get(key!)}`).not.toContain(token);
});

it('counts attempts to sign in by address, and forgets them within a minute', async () => {
  expect([await sessions.attempt('1.1.1.1'), await sessions.attempt('1.1.1.1')]).toEqual([1, 2]);
  expect(await sessions.attempt('2.2.2.2')).toBe(1);
  for (const key of await redis.keys('*')) {
    expect(await redis.ttl(key)).toBeGreaterThan(0);
    expect(key).not.toContain('1.1.1.1');
  }
});
