import { Keys } from '#contracts';
import { startRedis } from '../../../test/support/redis.js';
import { until } from '../../../test/support/until.js';
import { connectRedis } from '#store';
import { RateWindows } from './rate-windows.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const minutes = new RateWindows(redis, new Keys('t'), 60_000);

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

it('takes all or nothing, and counts nothing that did not fit', async () => {
  expect(await minutes.take('tokens', 'k', 6, 10)).toMatchObject({ fits: true, used: 6 });
  expect(await minutes.take('tokens', 'k', 5, 10)).toMatchObject({ fits: false, used: 6 });
  expect(await minutes.take('tokens', 'k', 4, 10)).toMatchObject({ fits: true, used: 10 });
  expect(await minutes.take('tokens', 'other', 10, 10)).toMatchObject({ fits: true, used: 10 });
  expect(await minutes.take('requests', 'k', 10, 10)).toMatchObject({ fits: true, used: 10 });
});

it('gives no more than the limit to any number that ask at once', async () => {
  const taken = await Promise.all(
    // A request that never fits beside them takes nothing from those that do.
    Array.from({ length: 100 }, (_, n) => minutes.take('tokens', 'k', n % 2 === 0 ? 1 : 1000, 30)),
  );
  expect(taken.filter(({ fits }) => fits)).toHaveLength(30);
});

it('begins a window with the first that is taken, and all is free when it ends', async () => {
  const short = new RateWindows(redis, new Keys('t'), 200);
  const first = await short.take('tokens', 'k', 10, 10);
  expect(first.endsInMs).toBe(200);
  const second = await short.take('tokens', 'k', 1, 10);
  expect(second.fits).toBe(false);
  expect(second.endsInMs).toBeLessThanOrEqual(200);
  await until('the window has ended', async () => (await short.take('tokens', 'k', 10, 10)).fits);
});

it('makes an estimate right within its window, and nothing better than unused', async () => {
  await minutes.take('tokens', 'k', 8, 10);
  await minutes.settle('tokens', 'k', -5);
  expect(await minutes.take('tokens', 'k', 0, 10)).toMatchObject({ used: 3 });
  await minutes.settle('tokens', 'k', 20);
  expect(await minutes.take('tokens', 'k', 1, 10)).toMatchObject({ fits: false, used: 23 });
  await minutes.settle('tokens', 'k', -100);
  expect(await minutes.take('tokens', 'k', 10, 10)).toMatchObject({ fits: true, used: 10 });
});

it('leaves nothing behind of a window that has ended', async () => {
  await minutes.settle('tokens', 'k', -100);
  await minutes.settle('tokens', 'k', 100);
  expect(await redis.keys('*')).toEqual([]);
});
