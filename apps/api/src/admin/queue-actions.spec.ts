import { Worker } from 'bullmq';
import { type JobTask, jobTaskId, Keys, OPERATIONS, rowsOfFloats, type Task, TASK_FORMAT } from '#contracts';
import type { LaneTask } from '#queue';
import { connectRedis, FailedInputs } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { BulkAdmission } from '../jobs/bulk-admission.js';
import { JobRetry } from '../jobs/job-retry.js';
import { fleetOver } from '../operation/fleet.fixture.js';
import { modelCard } from '../planning/model-card.fixture.js';
import { QueueActions } from './queue-actions.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const { close, control, fleet, jobs, list, models, producer, queueOf, registry } = fleetOver(redis, keys, ['m']);
const actions = new QueueActions(
  control,
  jobs,
  new JobRetry({
    jobs,
    failed: new FailedInputs(redis, keys),
    operations: OPERATIONS,
    models,
    admission: new BulkAdmission(list, fleet, 1000),
    producer,
  }),
);
const bulk = { model: 'm', lane: 'bulk' } as const;
const card = modelCard({ embed: { dimensions: 2 } });
const rowBytes = rowsOfFloats(2);
const spec = { operation: 'embed', fingerprint: card.fingerprint, prompt: '', truncate: 'end' } as const;
const error = { code: 'task_failed', message: 'gave up' } as const;

beforeAll(() => registry.announce(card, {}));
afterAll(async () => {
  await close();
  redis.disconnect();
  await server.stop();
});

/** A sealed job of one task of two texts. */
async function jobOfOneTask(id: string): Promise<LaneTask> {
  const output = { dimensions: null, normalize: false };
  await jobs.create({ id, model: 'm', spec, rowBytes, output, lane: 'bulk', tenant: '', keyId: null });
  await jobs.accept(id, 2, 1);
  await jobs.seal(id);
  const task: JobTask = {
    v: TASK_FORMAT,
    kind: 'job',
    model: 'm',
    spec,
    inputs: ['a', 'b'],
    acceptedAt: Date.now(),
    jobId: id,
    unit: 0,
    positions: [[0], [1]],
  };
  return { id: jobTaskId(id, 0), lane: 'bulk', task };
}

async function report(task: Task): Promise<void> {
  if (task.kind !== 'job') return;
  await jobs.acknowledge({
    jobId: task.jobId,
    unit: task.unit,
    cached: false,
    fingerprint: spec.fingerprint,
    rowBytes,
    rows: [],
    errors: [0, 1].map((position) => ({ position, error })),
    failedInputs: task.inputs.map((input, n) => ({ input, positions: task.positions[n]! })),
  });
}

/** Lets every task in the bulk lane fail. @param reported whether its job hears of it */
async function failAll(tasks: readonly LaneTask[], reported: (jobId: string) => boolean): Promise<void> {
  await producer.enqueue(tasks);
  const connection = connectRedis(server.url, 'worker', 'test');
  const worker = new Worker<Task>(
    keys.queue('m', 'bulk'),
    async ({ data }) => {
      if (data.kind === 'job' && reported(data.jobId)) await report(data);
      throw new Error('no luck');
    },
    { connection, prefix: keys.queuePrefix() },
  );
  await until('all have failed', async () => (await queueOf('m', 'bulk').getFailedCount()) === tasks.length);
  await worker.close();
  connection.disconnect();
}

const counts = async (): Promise<Record<string, number>> => queueOf('m', 'bulk').getJobCounts('wait', 'failed');

it('a failed task that was reported is retried by its job, one that was not goes back as it is', async () => {
  const tasks = await Promise.all(['reported', 'owed', 'gone'].map(jobOfOneTask));
  await failAll(tasks, (jobId) => jobId !== 'owed');
  await redis.del(keys.job('gone'));
  expect(await jobs.get('reported')).toMatchObject({ state: 'completed', failed: 2 });
  expect(await jobs.get('owed')).toMatchObject({ state: 'queued', failed: 0 });

  expect(await actions.act({ ...bulk, action: 'retry-failed' })).toBe(2);
  expect(await counts()).toEqual({ wait: 2, failed: 0 });
  expect(await jobs.get('reported')).toMatchObject({ state: 'running', failed: 0, retriable: 0 });
  const waiting = await queueOf('m', 'bulk').getWaiting();
  const again = waiting.map(({ data, id }) => [id, (data as JobTask).unit, (data as JobTask).inputs]);
  expect(again.sort()).toEqual([
    ['owed-0', 0, ['a', 'b']],
    ['reported-1', 1, ['a', 'b']],
  ]);
  expect(await actions.act({ ...bulk, action: 'retry-failed' })).toBe(0);
  await queueOf('m', 'bulk').drain();
});

it('cleaning takes away what was reported, and nothing that is still owed', async () => {
  const tasks = await Promise.all(['told', 'untold'].map(jobOfOneTask));
  await failAll(tasks, (jobId) => jobId === 'told');
  expect(await actions.act({ ...bulk, action: 'clean' })).toBe(1);
  expect((await queueOf('m', 'bulk').getFailed()).map(({ id }) => id)).toEqual(['untold-0']);
  expect(await jobs.get('told')).toMatchObject({ state: 'completed', failed: 2, retriable: 2 });
});

it('paused lanes are paused until they are resumed', async () => {
  expect(await actions.act({ ...bulk, action: 'pause' })).toBe(0);
  expect((await producer.depth('m', 'bulk')).paused).toBe(true);
  await actions.act({ ...bulk, action: 'resume' });
  expect((await producer.depth('m', 'bulk')).paused).toBe(false);
});
