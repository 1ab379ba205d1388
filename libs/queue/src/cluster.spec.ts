import { type Job, Queue, Worker } from 'bullmq';
import { Keys, type JobTask, OPERATIONS } from '#contracts';
import { awaitRedis, connectRedis } from '#store';
import { startRedisCluster } from '../../../test/support/redis-cluster.js';
import { until } from '../../../test/support/until.js';
import { FairQueueing } from './fair-queueing.js';
import { LaneControl } from './lane-control.js';
import { consumerOptions } from './lane-options.js';
import { LaneProducer, type LaneTask } from './lane-producer.js';

/** Their lanes are on every node. */
const MODELS = ['org/e5', 'org/bge', 'org/a', 'org/b'];

const keys = new Keys('test');
const prefix = keys.queuePrefix();
const servers = await startRedisCluster({ aof: true });
// As in the API and in the worker.
const command = connectRedis(servers.url, 'command', 'test');
const workerRedis = connectRedis(servers.url, 'worker', 'test');
// BullMQ looks at the server's version once, and gives a queue up where that fails.
await awaitRedis(command, 10_000);
const queues = new Map<string, Queue>();
const workers: Worker[] = [];
const producer = new LaneProducer(queueOf, {
  operations: OPERATIONS,
  attempts: 3,
  fairQueueing: new FairQueueing(command, keys),
});
const control = new LaneControl(queueOf);

function queueOf(model: string): Queue {
  const name = keys.queue(model, 'bulk');
  let queue = queues.get(name);
  if (queue === undefined) {
    queue = new Queue(name, { connection: command, prefix });
    queue.on('error', () => {});
    queues.set(name, queue);
  }
  return queue;
}

function work(model: string, process: (job: Job<JobTask>) => Promise<unknown>): Worker<JobTask> {
  const worker = new Worker<JobTask>(keys.queue(model, 'bulk'), process, {
    ...consumerOptions({ concurrency: 1, lockMs: 1000 }),
    prefix,
    connection: workerRedis,
  });
  worker.on('error', () => {});
  workers.push(worker);
  return worker;
}

function task(model: string, unit: number, keyId?: string): LaneTask {
  const spec = { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' as const };
  const base = { v: 2 as const, model, spec, inputs: [`t${unit}`], acceptedAt: Date.now() };
  const positions = [[unit]];
  return { id: `job-${unit}`, lane: 'bulk', keyId, task: { kind: 'job', ...base, jobId: 'job', unit, positions } };
}

function tasks(model: string, count: number): LaneTask[] {
  return Array.from({ length: count }, (_, unit) => task(model, unit));
}

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await Promise.all([...queues.values()].map((queue) => queue.close()));
  for (const redis of [command, workerRedis]) redis.disconnect();
  await servers.stop();
});

it('takes tasks of models on every node, by the turns of their keys, once each, and runs them', async () => {
  const nodes = new Set<number>();
  for (const model of MODELS) {
    await producer.enqueue(tasks(model, 1));
    await producer.enqueue([0, 1, 2, 3].map((unit) => task(model, unit, 'a')));
    await producer.enqueue([4, 5].map((unit) => task(model, unit, 'b')));
    expect(await producer.depth(model, 'bulk')).toMatchObject({ waiting: 6, active: 0, failed: 0, paused: false });
    const slot = await command.cluster('KEYSLOT', keys.queue(model, 'bulk'));
    nodes.add(Math.floor((slot * 3) / 16_384));
    const order: number[] = [];
    const done = work(model, async (job) => order.push(job.data.unit));
    await until('all have run', async () => order.length === 6 && (await producer.depth(model, 'bulk')).active === 0);
    expect(order).toEqual([0, 1, 2, 4, 3, 5]);
    expect(await producer.depth(model, 'bulk')).toMatchObject({ waiting: 0, failed: 0, oldestAgeMs: null });
    await done.close();
  }
  expect(nodes.size).toBe(3);
});

it('removes, pauses, resumes, tries again after a delay, gives up, and takes back what was given up', async () => {
  const model = MODELS[0]!;
  await producer.enqueue(tasks(model, 3));
  expect(await producer.remove(model, 'bulk', ['job-0', 'job-2'])).toBe(2);
  await control.pause(model, 'bulk');
  let fails = true;
  const attempts: number[] = [];
  const worker = work(model, async (job) => {
    attempts.push(job.attemptsMade);
    if (fails) throw new Error('no');
  });
  await worker.waitUntilReady();
  expect(await control.isPaused(model, 'bulk')).toBe(true);
  expect(await producer.depth(model, 'bulk')).toMatchObject({ paused: true, waiting: 1 });
  await control.resume(model, 'bulk');
  await until('it is given up', async () => (await producer.depth(model, 'bulk')).failed === 1);
  expect(attempts).toEqual([0, 1, 2]);
  expect(await control.deadLettered(model, 'bulk')).toEqual([{ id: 'job-1', unit: { jobId: 'job', unit: 1 } }]);
  fails = false;
  expect(await control.runAgain(model, 'bulk', 'job-1')).toBe(true);
  await until('it has run', async () => attempts.length === 4 && (await producer.depth(model, 'bulk')).failed === 0);
  await worker.close();
});

it('runs a task again whose worker was lost', async () => {
  const model = MODELS[1]!;
  await producer.enqueue(tasks(model, 1));
  let take!: () => void;
  const taken = new Promise<void>((resolve) => (take = resolve));
  const lost = work(model, () => {
    take();
    return new Promise(() => {});
  });
  await taken;
  await lost.close(true);
  let ran = false;
  const second = work(model, async () => {
    ran = true;
  });
  await until('it has run again', () => ran);
  await second.close();
});

it('goes on after the node of its lane was killed and has come back', async () => {
  for (const model of MODELS) {
    const ran: number[] = [];
    work(model, async (job) => ran.push(job.data.unit));
    await producer.enqueue(tasks(model, 1));
    await until('it runs', () => ran.length === 1);
  }
  await servers.nodes[1]!.kill();
  await servers.nodes[1]!.start();
  await servers.complete();
  await awaitRedis(command, 20_000);
  for (const model of MODELS) {
    await producer.enqueue(tasks(model, 3));
    await until('all have run', async () => {
      const { waiting, active } = await producer.depth(model, 'bulk');
      return waiting + active === 0;
    });
  }
});
