import fc from 'fast-check';
import { Keys } from '#contracts';
import { startRedis } from '../../../test/support/redis.js';
import { connectRedis } from '#store';
import { FairQueueing } from './fair-queueing.js';

const STEP = 2 ** 32;
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const keys = new Keys('t');
const WAITING = keys.queuePart('m', 'bulk', 'prioritized');
const TASK = keys.queuePart('m', 'bulk', '');
let counter = 0;

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

/** Puts tasks where BullMQ would, with the priorities that they get. */
async function add(fair: FairQueueing, key: string, costs: readonly number[]): Promise<number[]> {
  const tags = await fair.tags('m', 'bulk', key, costs);
  for (const tag of tags) {
    const id = `${key}-${++counter}`;
    await redis.zadd(WAITING, tag * STEP + counter, id);
    await redis.hset(`${TASK}${id}`, 'priority', tag);
  }
  return tags;
}

/** Takes tasks as a worker does. @returns the key of each */
async function serve(count: number): Promise<string[]> {
  const popped = await redis.zpopmin(WAITING, count);
  return popped.filter((_, n) => n % 2 === 0).map((id) => id.split('-')[0]!);
}

const ones = (count: number) => Array.from({ length: count }, () => 1);

it('gives a key that comes later, with little, every second turn at once', async () => {
  const fair = new FairQueueing(redis, keys);
  await add(fair, 'a', ones(1000));
  await serve(200);
  await add(fair, 'b', ones(20));
  const served = await serve(40);
  // The task whose turn it was goes first.
  expect(served.filter((key) => key === 'b')).toHaveLength(19);
});

it('lets no key save up turns while it has nothing waiting', async () => {
  const fair = new FairQueueing(redis, keys);
  await add(fair, 'b', ones(1));
  await add(fair, 'a', ones(300));
  await serve(201);
  await add(fair, 'b', ones(50));
  expect((await serve(21)).filter((key) => key === 'b')).toHaveLength(10);
});

it('fair by cost, not by number', async () => {
  const fair = new FairQueueing(redis, keys);
  await add(
    fair,
    'dear',
    Array.from({ length: 100 }, () => 4),
  );
  await add(fair, 'cheap', ones(400));
  const served = await serve(250);
  expect(served.filter((key) => key === 'dear').length).toBeGreaterThanOrEqual(49);
  expect(served.filter((key) => key === 'dear').length).toBeLessThanOrEqual(51);
});

it('begins anew when nothing waits', async () => {
  const fair = new FairQueueing(redis, keys);
  await add(fair, 'a', ones(10));
  await serve(10);
  expect(await add(fair, 'a', ones(2))).toEqual([1, 2]);
});

it('moves all tags down before they reach the end, and keeps the order', async () => {
  const fair = new FairQueueing(redis, keys, 100);
  await add(fair, 'a', ones(90));
  await serve(60);
  await add(fair, 'b', ones(3));
  const before = await redis.zrange(WAITING, '0', '-1');
  const tags = await add(fair, 'a', ones(20));
  expect(tags.at(-1)).toBeLessThanOrEqual(100);
  const after = await redis.zrange(WAITING, '0', '-1');
  expect(after.filter((id) => before.includes(id))).toEqual(before);
  for (const id of after) {
    const tag = Math.floor(Number(await redis.zscore(WAITING, id)) / STEP);
    expect(Number(await redis.hget(`${TASK}${id}`, 'priority'))).toBe(tag);
  }
});

it('is first come, first served at the very end', async () => {
  const fair = new FairQueueing(redis, keys, 10);
  expect(await add(fair, 'a', ones(12))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
});

it('keeps any two keys that wait within one task of each other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 30 })), {
        minLength: 2,
        maxLength: 8,
      }),
      async (adds) => {
        await redis.flushall();
        const fair = new FairQueueing(redis, keys);
        const waiting: Record<string, number> = {};
        for (const [key, count] of adds) {
          await add(fair, key, ones(count));
          waiting[key] = (waiting[key] ?? 0) + count;
        }
        const both = Math.min(...Object.values(waiting));
        const served = await serve(both * Object.keys(waiting).length);
        for (const key of Object.keys(waiting)) {
          expect(Math.abs(served.filter((one) => one === key).length - both)).toBeLessThanOrEqual(1);
        }
      },
    ),
    { numRuns: 30 },
  );
});
