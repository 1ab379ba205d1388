import { randomUUID } from 'node:crypto';
import { Keys } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { connectRedis } from '../redis/client.js';
import { type Cancellation, CancellationListener, Cancellations } from './cancellations.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const subscriber = connectRedis(server.url, 'subscriber', 'test');
const cancellations = new Cancellations(redis, keys);

afterAll(async () => {
  redis.disconnect();
  subscriber.disconnect();
  await server.stop();
});

it('remembers which inputs were dropped, for a while', async () => {
  const id = randomUUID();
  await cancellations.drop(id, [2]);
  await cancellations.drop(id, [0, 2]);
  expect((await cancellations.dropped(id)).sort()).toEqual([0, 2]);
  expect(await redis.ttl(keys.dropped(id))).toBeGreaterThan(3000);
  await cancellations.drop(id, []);
  expect(await cancellations.dropped(randomUUID())).toEqual([]);
});

it('tells workers which inputs and which jobs nobody wants any more', async () => {
  const listener = new CancellationListener(subscriber, keys);
  const heard: Cancellation[] = [];
  listener.onCancel((one) => heard.push(one));
  await subscriber.ping();
  const id = randomUUID();
  await cancellations.drop(id, [1, 4]);
  await cancellations.drop(id, []);
  await cancellations.cancelJob('job_a');
  await until('both are heard of', () => heard.length === 2);
  expect(heard).toEqual([{ taskId: id, indexes: [1, 4] }, { jobId: 'job_a' }]);
});
