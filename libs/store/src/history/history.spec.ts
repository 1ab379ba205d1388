import { randomUUID } from 'node:crypto';
import { HISTORY_RANGES, Keys } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { awaitRedis } from '../redis/await-redis.js';
import { connectRedis } from '../redis/client.js';
import { HISTORY_TICK_MS, HistoryReader, HistoryRecorder } from './history.js';
import { historyField, readHistoryFields, waitName, waitsOf } from './history-fields.js';
import { waitBucket, waitPercentile } from './wait-buckets.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'command', 'test');
let keys: Keys;

beforeAll(() => awaitRedis(redis, 5000));
beforeEach(() => {
  keys = new Keys(randomUUID());
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

it('counts of several processes add up, in the step of each range they belong to', async () => {
  const [one, other] = [new HistoryRecorder(redis, keys), new HistoryRecorder(redis, keys)];
  const perHour = (HISTORY_RANGES['1h'].stepSeconds * 1000) / HISTORY_TICK_MS;
  const tick = 1000 * perHour;
  const field = historyField('org/model', 'texts');
  await Promise.all([one.write(tick, new Map([[field, 5]])), other.write(tick, new Map([[field, 7]]))]);
  await one.write(tick + 1, new Map([[historyField('b', waitName(0.01)), 1]]));

  const reader = new HistoryReader(redis, keys);
  const [first, second, third] = await reader.steps('5m', tick, 3);
  expect(first?.get('org/model')?.get('texts')).toBe(12);
  expect([...waitsOf(second!.get('b')!).values()]).toEqual([1]);
  expect(third).toBeNull();
  const [hour] = await reader.steps('1h', 1000, 1);
  expect([...hour!.keys()].sort()).toEqual(['b', 'org/model']);
  for (const [range, { stepSeconds, steps }] of Object.entries(HISTORY_RANGES)) {
    const step = Math.floor((tick * HISTORY_TICK_MS) / (1000 * stepSeconds));
    const ttl = await redis.ttl(keys.history(range, step));
    expect(ttl).toBeGreaterThanOrEqual(stepSeconds * steps);
    expect(ttl).toBeLessThan(stepSeconds * (steps + 2) + 120);
  }
});

it('what happens is in the tick that it happened in, and one process looks at the queue', async () => {
  const recorder = new HistoryRecorder(redis, keys);
  const ended: number[] = [];
  recorder.beforeTick((tick) => {
    ended.push(tick);
    recorder.add('m', 'samples');
  });
  recorder.start();
  recorder.add('m', 'hits', 3);
  await until('a tick has ended', () => ended.length > 0);
  await recorder.stop();
  const [step] = await new HistoryReader(redis, keys).steps('5m', ended[0]!, 1);
  expect(Object.fromEntries(step!.get('m')!)).toEqual({ hits: 3, samples: ended.length });
  expect(await Promise.all([recorder.claim(1), recorder.claim(1), recorder.claim(2)])).toEqual([true, false, true]);
}, 10_000);

it('an outage costs no data path an error, and what was counted meanwhile comes later', async () => {
  const away = await startRedis();
  const connection = connectRedis(away.url, 'command', 'test');
  try {
    await awaitRedis(connection, 5000);
    const recorder = new HistoryRecorder(connection, keys);
    await away.halt();
    await until('the connection is broken', () => connection.status !== 'ready');
    const field = historyField('m', 'faults');
    await recorder.write(10, new Map([[field, 1]]));
    await recorder.write(10, new Map([[field, 1]]));
    await away.start();
    await until('it is back', () => connection.status === 'ready');
    await recorder.write(11, new Map([[field, 1]]));
    const steps = await new HistoryReader(connection, keys).steps('5m', 10, 2);
    expect(steps.map((step) => step?.get('m')?.get('faults'))).toEqual([2, 1]);
    expect(recorder.failures).toBe(0);
  } finally {
    connection.disconnect();
    await away.stop();
  }
});

it('a model may be named as it likes', () => {
  const counts = readHistoryFields({ [historyField('a/b.c', 'tasks.bulk')]: '4', [historyField('', 'faults')]: '1' });
  expect(counts.get('a/b.c')?.get('tasks.bulk')).toBe(4);
  expect(counts.get('')?.get('faults')).toBe(1);
});

describe('percentiles of bucketed times', () => {
  const bucketed = (seconds: readonly number[]) => {
    const counts = new Map<number, number>();
    for (const one of seconds) counts.set(waitBucket(one), (counts.get(waitBucket(one)) ?? 0) + 1);
    return counts;
  };

  it('are those of all times within a tenth, also when the buckets were filled apart', () => {
    const times = Array.from({ length: 4000 }, (_, n) => 0.002 * 1.002 ** n);
    const halves = [bucketed(times.filter((_, n) => n % 2 === 0)), bucketed(times.filter((_, n) => n % 2 === 1))];
    const merged = new Map<number, number>();
    for (const half of halves) for (const [b, count] of half) merged.set(b, (merged.get(b) ?? 0) + count);
    expect(merged).toEqual(bucketed(times));
    for (const share of [0.5, 0.95, 0.99]) {
      const exact = times[Math.ceil(share * times.length) - 1]!;
      expect(Math.abs(waitPercentile(merged, share)! / exact - 1)).toBeLessThan(0.1);
    }
  });

  it('take what is beyond the bounds to the first and last bucket, and nothing for nothing', () => {
    expect([waitBucket(0), waitBucket(1e-9), waitBucket(1e6)]).toEqual([0, 0, waitBucket(1e9)]);
    expect(waitPercentile(new Map(), 0.5)).toBeNull();
  });
});
