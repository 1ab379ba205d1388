import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { connectRedis } from '../redis/client.js';
import type { RowCache } from './row-cache.js';
import { MemoryCache } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';
import { TieredCache } from './tiered-cache.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'cache', 'test');
await until('the cache is there', () => redis.status === 'ready');

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** What every embedding cache promises. */
describe.each<[string, () => RowCache]>([
  ['memory', () => new MemoryCache(1 << 20)],
  ['redis', () => new RedisCache(redis)],
  ['redis with a time to live', () => new RedisCache(redis, { ttlSeconds: 60 })],
  ['tiered', () => new TieredCache(new MemoryCache(1 << 20), new RedisCache(redis))],
])('a %s cache', (name, create) => {
  it('gives back what it was given, in order, and null for the rest', async () => {
    const cache = create();
    const entries = Array.from({ length: 1300 }, (_, n): [string, Buffer] => [
      `${name}:${n}`,
      Buffer.from([n & 255, 0, 255, n >> 8]),
    ]);
    await cache.setMany(entries);
    const asked = ['none', ...entries.map(([key]) => key), 'neither'];
    expect(await cache.getMany(asked)).toEqual([null, ...entries.map(([, row]) => row), null]);
    expect(await cache.getMany([])).toEqual([]);
    await cache.setMany([]);
  });
});

it('moves near what only the far tier has', async () => {
  const near = new MemoryCache(1 << 20);
  const far = new MemoryCache(1 << 20);
  await far.setMany([['k', Buffer.from('v')]]);
  expect(await new TieredCache(near, far).getMany(['k', 'l'])).toEqual([Buffer.from('v'), null]);
  expect(await near.getMany(['k'])).toEqual([Buffer.from('v')]);
});

it('forgets the least used when memory is full, and everything when it has none', async () => {
  const small = new MemoryCache(3000);
  for (let n = 0; n < 10; n++) await small.setMany([[`k${n}`, Buffer.alloc(1000)]]);
  const kept = (await small.getMany(Array.from({ length: 10 }, (_, n) => `k${n}`))).map((row) => row !== null);
  expect(kept.slice(0, 8)).not.toContain(true);
  expect(kept[9]).toBe(true);
  const none = new MemoryCache(0);
  await none.setMany([['k', Buffer.from('v')]]);
  expect(await none.getMany(['k'])).toEqual([null]);
});

it('misses while its server is away, says so, and works again when it is back', async () => {
  const errors: Error[] = [];
  const cache = new RedisCache(redis, { onError: (error) => errors.push(error) });
  await cache.setMany([['away', Buffer.from('v')]]);
  expect(cache.up).toBe(true);
  await server.kill();
  expect(await cache.getMany(['away', 'other'])).toEqual([null, null]);
  await cache.setMany([['away', Buffer.from('v')]]);
  expect(cache.up).toBe(false);
  expect(errors.length).toBeGreaterThanOrEqual(2);
  await server.start();
  await until('it is used again', async () => {
    await cache.setMany([['away', Buffer.from('w')]]);
    return cache.up;
  });
  expect(await cache.getMany(['away'])).toEqual([Buffer.from('w')]);
});

it('works once its server is there, when it was not at the start', async () => {
  await server.kill();
  const early = connectRedis(server.url, 'cache', 'test');
  const cache = new RedisCache(early);
  expect(await cache.getMany(['k'])).toEqual([null]);
  expect(cache.up).toBe(false);
  await server.start();
  await until('it is used', async () => {
    await cache.setMany([['k', Buffer.from('v')]]);
    return cache.up;
  });
  expect(await cache.getMany(['k'])).toEqual([Buffer.from('v')]);
  early.disconnect();
});

it('leaves a server alone that hangs, but for one question now and then', async () => {
  const errors: Error[] = [];
  const cache = new RedisCache(redis, { onError: (error) => errors.push(error) });
  await until('it is used', async () => {
    await cache.setMany([['k', Buffer.from('v')]]);
    return cache.up;
  });
  errors.length = 0;
  await redis.config('RESETSTAT');
  process.kill(server.pid, 'SIGSTOP');
  try {
    expect(await cache.getMany(['k'])).toEqual([null]);
    for (let n = 0; n < 50; n++) expect(await cache.getMany(['k'])).toEqual([null]);
    expect(errors).toHaveLength(51);
    expect(cache.up).toBe(false);
  } finally {
    process.kill(server.pid, 'SIGCONT');
  }
  await until('it is used again', async () => (await cache.getMany(['k']))[0]?.toString() === 'v');
  expect(cache.up).toBe(true);
  const asked = Number(/cmdstat_mget:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
  expect(asked).toBeLessThan(10);
});
