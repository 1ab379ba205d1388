import { randomUUID } from 'node:crypto';
import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import { embed, Keys, type JobTask, type Lane, type Operation, Operations, OPERATIONS } from '#contracts';
import { connectRedis } from '#store';
import fc from 'fast-check';
import { startRedis } from '../../../test/support/redis.js';
import { until } from '../../../test/support/until.js';
import { FairQueueing } from './fair-queueing.js';
import { consumerOptions, retryDelayMs } from './lane-options.js';
import { LaneProducer, type LaneTask } from './lane-producer.js';

const keys = new Keys('test');
const server = await startRedis({ aof: true });
const prefix = keys.queuePrefix();
const redis = connectRedis(server.url, 'worker', 'test');
const queues = new Map<string, Queue>();
const producer = new LaneProducer(queueOf, { operations: OPERATIONS, attempts: 3 });

function queueOf(model: string, lane: Lane): Queue {
  const name = keys.queue(model, lane);
  let queue = queues.get(name);
  if (queue === undefined) {
    queue = new Queue(name, { connection: redis, prefix });
    queue.on('error', () => {});
    queues.set(name, queue);
  }
  return queue;
}

afterAll(async () => {
  for (const queue of queues.values()) await queue.close();
  redis.disconnect();
  await server.stop();
});

type Ended = [job: Job<JobTask>, resultOrError: unknown];

/** A worker of one lane with quick leases. */
function consumer(model: string, process: (job: Job<JobTask>) => Promise<unknown>) {
  const own = connectRedis(server.url, 'worker', 'test');
  const worker = new Worker<JobTask>(keys.queue(model, 'bulk'), process, {
    ...consumerOptions({ concurrency: 1, lockMs: 500 }),
    prefix,
    connection: own,
  });
  worker.on('error', () => {});
  return {
    /** What the event brings when it comes for the nth time. */
    first: (event: 'completed' | 'failed', nth = 1) =>
      new Promise<Ended>((resolve) => {
        let seen = 0;
        worker.on(event as 'completed', (job, result) => {
          if (++seen === nth) resolve([job, result]);
        });
      }),
    async close(force = false) {
      await worker.close(force);
      own.disconnect();
    },
  };
}

/** A worker takes a task and is never heard of again. */
async function loseWorker(model: string): Promise<void> {
  let take: () => void;
  const taken = new Promise<void>((resolve) => (take = resolve));
  const lost = consumer(model, () => {
    take();
    return new Promise(() => {});
  });
  await taken;
  await lost.close(true);
}

function task(model: string, unit: number): { id: string; lane: Lane; task: JobTask } {
  const spec = { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' as const };
  return {
    id: `job-${unit}`,
    lane: 'bulk',
    task: {
      v: 2,
      kind: 'job',
      model,
      spec,
      inputs: [`t${unit}`],
      acceptedAt: Date.now(),
      jobId: 'job',
      unit,
      positions: [[unit]],
    },
  };
}

it('adds a task once however often, says how deep the lane is, and takes waiting tasks out', async () => {
  const model = `org/m-${randomUUID()}`;
  await producer.enqueue([task(model, 0), task(model, 1)]);
  await producer.enqueue([task(model, 1), task(model, 2)]);
  const depth = await producer.depth(model, 'bulk');
  expect(depth).toMatchObject({ waiting: 3, active: 0, delayed: 0, paused: false });
  expect(depth.oldestAgeMs).toBeGreaterThanOrEqual(0);
  expect(await producer.depth(model, 'interactive')).toMatchObject({ waiting: 0, oldestAgeMs: null });
  expect(await producer.remove(model, 'bulk', ['job-0', 'job-2'])).toBe(2);
  expect(await producer.depth(model, 'bulk')).toMatchObject({ waiting: 1 });
});

it('shows that a lane is paused, and what waits in it all the same', async () => {
  const model = `m-${randomUUID()}`;
  await producer.enqueue([task(model, 0)]);
  await queueOf(model, 'bulk').pause();
  await producer.enqueue([task(model, 1)]);
  const depth = await producer.depth(model, 'bulk');
  expect(depth).toMatchObject({ paused: true, waiting: 2 });
  expect(depth.oldestAgeMs).not.toBeNull();
  await queueOf(model, 'bulk').resume();
  expect(await producer.depth(model, 'bulk')).toMatchObject({ paused: false, waiting: 2 });
});

it('gives tasks of API keys turns by what their inputs weigh, and none to tasks without a key', async () => {
  const model = `m-${randomUUID()}`;
  const heavy: Operation<string> = { ...embed, name: 'heavy', bytes: (text) => 16_384 * text.length };
  const operations = new Operations([embed, heavy]);
  const fairQueueing = new FairQueueing(redis, keys);
  const fair = new LaneProducer(queueOf, { operations, fairQueueing });
  const of = (unit: number, keyId: string | undefined, operation: string, inputs: string[]): LaneTask => {
    const { id, lane, task: plain } = task(model, unit);
    return { id, lane, keyId, task: { ...plain, spec: { ...plain.spec, operation }, inputs } };
  };
  await fair.enqueue([
    of(0, 'a', 'embed', ['x']),
    of(1, 'a', 'heavy', ['xx', 'x']),
    of(2, 'b', 'heavy', ['x']),
    of(3, 'a', 'embed', ['x'.repeat(16_384), 'x']),
    of(4, undefined, 'embed', ['x']),
  ]);
  const priorityOf = async (unit: number) => (await queueOf(model, 'bulk').getJob(`job-${unit}`))?.priority;
  expect(await Promise.all([0, 1, 2, 3, 4].map(priorityOf))).toEqual([1, 4, 1, 6, 0]);
});

it('runs a task again whose worker was lost', async () => {
  const model = `m-${randomUUID()}`;
  await producer.enqueue([task(model, 0)]);
  await loseWorker(model);
  const second = consumer(model, async (job) => job.data);
  const [job] = await second.first('completed');
  expect(job.data).toMatchObject({ jobId: 'job', unit: 0, inputs: ['t0'] });
  await second.close();
});

it('gives up a task that takes too many workers down, without running it, and tells a worker', async () => {
  const model = `m-${randomUUID()}`;
  await producer.enqueue([task(model, 0)]);
  const allowed = consumerOptions({ concurrency: 1, lockMs: 500 }).maxStalledCount!;
  // As many workers as may be lost were lost before; this is one more.
  await redis.hset(`${prefix}:${keys.queue(model, 'bulk')}:job-0`, 'stc', allowed);
  await loseWorker(model);
  let ran = false;
  const last = consumer(model, async () => {
    ran = true;
  });
  const [job, error] = await last.first('failed');
  expect(job.data).toMatchObject({ unit: 0 });
  expect(error).toBeInstanceOf(UnrecoverableError);
  expect(ran).toBe(false);
  await last.close();
});

it('tries a task as often as it may, by the back-off of its consumer', async () => {
  const model = `m-${randomUUID()}`;
  await new LaneProducer(queueOf, { operations: OPERATIONS, attempts: 2 }).enqueue([task(model, 0)]);
  const attempts: number[] = [];
  const failing = consumer(model, async (job) => {
    attempts.push(job.attemptsMade);
    throw new Error('no');
  });
  const failed = failing.first('failed', 2);
  const [, error] = await failed;
  expect(error).not.toBeInstanceOf(UnrecoverableError);
  expect(attempts).toEqual([0, 1]);
  expect(await queueOf(model, 'bulk').getFailedCount()).toBe(1);
  await failing.close();
});

it('waits longer after each failure, up to a limit, and never the same for all', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (attemptsMade) => {
      const longest = Math.min(250 * 2 ** (attemptsMade - 1), 15_000);
      const delay = retryDelayMs(attemptsMade);
      expect(delay).toBeGreaterThanOrEqual(longest / 2);
      expect(delay).toBeLessThanOrEqual(longest);
    }),
  );
  expect(new Set(Array.from({ length: 20 }, () => retryDelayMs(9))).size).toBeGreaterThan(1);
});

it('still holds its tasks after the server was stopped and started again', async () => {
  const model = `m-${randomUUID()}`;
  await producer.enqueue([task(model, 0), task(model, 1)]);
  await server.halt();
  await server.start();
  await until('the queue answers', async () => (await producer.depth(model, 'bulk')).waiting === 2);
  const worker = consumer(model, async (job) => job.data);
  await worker.first('completed', 2);
  await worker.close();
  expect(await producer.depth(model, 'bulk')).toMatchObject({ waiting: 0, active: 0, oldestAgeMs: null });
});
