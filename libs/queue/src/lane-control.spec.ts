import { Queue, Worker } from 'bullmq';
import { Keys, type Lane } from '#contracts';
import { connectRedis } from '#store';
import { startRedis } from '../../../test/support/redis.js';
import { LaneControl } from './lane-control.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const queue = new Queue(keys.queue('m', 'bulk'), { connection: redis, prefix: keys.queuePrefix() });
const queueOf = (_model: string, _lane: Lane) => queue;
const control = new LaneControl(queueOf);

afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await server.stop();
});
beforeEach(() => queue.obliterate({ force: true }));

/** Enqueues tasks by id, and has a worker fail all of them for good. */
async function deadLetter(tasks: Readonly<Record<string, object>>): Promise<void> {
  const jobs = Object.entries(tasks).map(([jobId, data]) => ({ name: 'task', data, opts: { jobId, attempts: 1 } }));
  await queue.addBulk(jobs);
  const connection = connectRedis(server.url, 'worker', 'test');
  let failures = 0;
  await new Promise<void>((resolve) => {
    const worker = new Worker(queue.name, () => Promise.reject(new Error('no')), {
      connection,
      prefix: keys.queuePrefix(),
      concurrency: 10,
    });
    worker.on('error', () => {});
    worker.on('failed', () => {
      if (++failures === jobs.length) void worker.close().then(resolve);
    });
  });
  connection.disconnect();
}

it('tells whose tasks were given up, whatever version enqueued them', async () => {
  // More than are read in one go.
  const many = Array.from({ length: 60 }, (_, unit) => [`job_c-${unit}`, { v: 2, kind: 'job', jobId: 'job_c', unit }]);
  await deadLetter({
    'job_a-3': { kind: 'job', jobId: 'job_a', unit: 3, texts: ['a'] },
    'job_b-0': { v: 9, kind: 'job', jobId: 'job_b', unit: 0, parcels: [] },
    'request': { v: 2, kind: 'request', inputs: ['a'] },
    ...(Object.fromEntries(many) as Record<string, object>),
  });
  const tasks = await control.deadLettered('m', 'bulk');
  expect(tasks).toHaveLength(63);
  expect(tasks).toEqual(
    expect.arrayContaining([
      { id: 'job_a-3', unit: { jobId: 'job_a', unit: 3 } },
      { id: 'job_b-0', unit: { jobId: 'job_b', unit: 0 } },
      { id: 'request', unit: null },
      { id: 'job_c-59', unit: { jobId: 'job_c', unit: 59 } },
    ]),
  );
});

it('puts a task that was given up back into the queue, with all its attempts, or takes its record away', async () => {
  await deadLetter({
    'job_a-0': { v: 2, kind: 'job', jobId: 'job_a', unit: 0 },
    'job_a-1': { v: 2, kind: 'job', jobId: 'job_a', unit: 1 },
  });
  expect(await queue.getJob('job_a-0')).toMatchObject({ attemptsMade: 1 });
  expect(await control.runAgain('m', 'bulk', 'job_a-0')).toBe(true);
  expect(await control.runAgain('m', 'bulk', 'job_a-0')).toBe(false);
  expect(await control.runAgain('m', 'bulk', 'none')).toBe(false);
  expect(await queue.getJob('job_a-0')).toMatchObject({ attemptsMade: 0 });
  expect(await queue.getWaitingCount()).toBe(1);
  await control.forget('m', 'bulk', 'job_a-1');
  expect(await control.deadLettered('m', 'bulk')).toEqual([]);
});

it('stops a lane and lets it go on', async () => {
  expect(await control.isPaused('m', 'bulk')).toBe(false);
  await control.pause('m', 'bulk');
  expect(await control.isPaused('m', 'bulk')).toBe(true);
  await control.resume('m', 'bulk');
  expect(await control.isPaused('m', 'bulk')).toBe(false);
});
