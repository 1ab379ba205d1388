import { randomUUID } from 'node:crypto';
import { BullRegistrar } from '@nestjs/bullmq';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import { pino } from 'pino';
import { readEnvironment } from '#config';
import { jobTaskId, OPERATIONS, TASK_FORMAT } from '#contracts';
import type { Lane } from '#contracts';
import { DeviceUnavailableError, type Engine } from '#inference';
import { LaneProducer } from '#queue';
import { connectRedis, type RedisClient } from '#store';
import { until } from '../../../../test/support/until.js';
import { Lifecycle } from '../lifecycle.js';
import { WorkerMetrics } from '../operation/metrics.js';
import { card, jobTask, keys, ProcessorBench, spec } from '../process/task-processor.fixture.js';
import type { TaskProcessor } from '../process/task-processor.js';
import { ConsumersModule } from './consumers.module.js';
import { LaneWorkers } from './lane-workers.js';

const ATTEMPTS = 2;
const bench = await ProcessorBench.start();
const environment = readEnvironment({
  REDIS_URL: bench.url,
  EMBED_KEY_PREFIX: 'test',
  EMBED_MODELS: card.name,
  EMBED_LOCK_MS: '1000',
});
const producerConnection = connectRedis(bench.url, 'worker', 'test');
const queues = new Map<Lane, Queue>();
for (const lane of ['interactive', 'bulk'] as const) {
  queues.set(
    lane,
    new Queue(keys.queue(card.name, lane), { connection: producerConnection, prefix: keys.queuePrefix() }),
  );
}
const producer = new LaneProducer((_, lane) => queues.get(lane)!, { operations: OPERATIONS, attempts: ATTEMPTS });
const running: { app: INestApplicationContext; results: RedisClient }[] = [];

afterEach(async () => {
  for (const { app, results } of running.splice(0)) {
    await app.close();
    results.disconnect();
  }
  await bench.clear();
});
afterAll(async () => {
  for (const queue of queues.values()) await queue.close();
  producerConnection.disconnect();
  await bench.stop();
});

describe('lane consumers', () => {
  it('take tasks of both lanes to the task processor, and leave nothing in the queue', async () => {
    await consume(bench.processor());
    const job = await bench.acceptJob(1);
    const answer = bench.inbox.wait('t', { timeoutMs: 10_000 });
    await producer.enqueue([
      { id: jobTaskId(job, 0), lane: 'bulk', task: jobTask(job, 0, { a: [0] }) },
      { id: 't', lane: 'interactive', task: bench.requestTask(['b']) },
    ]);
    expect(await answer).toMatchObject({ outcomes: [expect.any(Buffer)] });
    await until('the job is completed', async () => (await bench.jobs.state(job)) === 'completed');
    await until('the queue is empty', async () => {
      const counts = await Promise.all([...queues.values()].map((queue) => queue.getJobCountByTypes()));
      return counts.every((count) => count === 0);
    });
  });

  it('try a task again, and report its texts when all attempts are used up', async () => {
    const { logged, metrics } = await consume(broken(bench.processor()));
    const job = await bench.acceptJob(2);
    const task = { ...jobTask(job, 0, { 'a heron': [0], 'b': [1] }), requestId: 'asked-by-me' };
    await producer.enqueue([{ id: jobTaskId(job, 0), lane: 'bulk', task }]);
    const record = await until('the job is completed', async () => {
      const now = await bench.jobs.get(job);
      return now?.state === 'completed' && now;
    });
    expect(record).toMatchObject({ done: 0, failed: 2 });
    expect((await bench.jobs.errors(job, [0, 1])).get(0)).toEqual({
      code: 'task_failed',
      message: 'gave up: disk full',
    });
    expect(await metrics.registry.getSingleMetricAsString('embedmill_worker_task_duration_seconds')).toContain(
      `_count{model="${card.name}",lane="bulk"} ${ATTEMPTS}`,
    );
    // The log names the request, and quotes no text.
    await until('every attempt is logged', () => logged().length === ATTEMPTS);
    for (const line of logged()) {
      expect(JSON.parse(line)).toMatchObject({ msg: 'task failed', reqId: 'asked-by-me', task: jobTaskId(job, 0) });
      expect(line).not.toContain('heron');
    }
  });

  it('do what 0.1.0 put into the queue', async () => {
    await consume(bench.processor());
    const job = await bench.acceptJob(2);
    const { inputs, spec, v, ...rest } = jobTask(job, 0, { a: [0], b: [1] });
    expect(v).toBe(TASK_FORMAT);
    const { fingerprint, prompt, truncate } = spec;
    const old = { ...rest, spec: { fingerprint, prompt, truncate }, texts: inputs };
    await queues.get('bulk')!.add('job', old, { jobId: jobTaskId(job, 0) });
    await until('the job is completed', async () => (await bench.jobs.state(job)) === 'completed');
    expect(await bench.jobs.get(job)).toMatchObject({ done: 2, failed: 0 });
  });

  it('leave tasks of a newer version to newer workers: they go back unharmed, and this worker ends', async () => {
    const strange = { ...jobTask(randomUUID(), 0, { a: [0] }), spec: { ...spec, operation: 'of the future' } };
    for (const task of [{ ...jobTask(randomUUID(), 0, { a: [0] }), v: TASK_FORMAT + 1 }, strange]) {
      const { lanes, lifecycle } = await consume(bench.processor());
      await queues.get('bulk')!.add('job', task, { jobId: task.jobId, attempts: ATTEMPTS });
      await until('the worker gives up', () => lifecycle.leaving.aborted);
      await lanes.close();
      const [back] = await queues.get('bulk')!.getJobs(['wait']);
      expect(back).toMatchObject({ id: task.jobId, attemptsMade: 0 });
      await back!.remove();
    }
  });

  it('report the texts of a task that took too many workers down', async () => {
    const job = await bench.acceptJob(1);
    const id = jobTaskId(job, 0);
    await producer.enqueue([{ id, lane: 'bulk', task: jobTask(job, 0, { a: [0] }) }]);
    // What BullMQ writes when a task has stalled more often than allowed.
    await bench.redis.hset(
      `${keys.queuePrefix()}:${keys.queue(card.name, 'bulk')}:${id}`,
      'defa',
      'job stalled more than allowable limit',
    );
    const sound = bench.processor();
    await consume(sound);
    await until('the job is completed', async () => (await bench.jobs.state(job)) === 'completed');
    expect(await bench.jobs.get(job)).toMatchObject({ done: 0, failed: 1 });
    expect(sound.engine.stats().batches).toBe(0);
  });

  it('give back at once what they hold when the worker leaves, and another worker takes it', async () => {
    const slow = bench.processor({ shut: true });
    const leaver = await consume(slow);
    const job = await bench.acceptJob(1);
    await producer.enqueue([{ id: jobTaskId(job, 0), lane: 'bulk', task: jobTask(job, 0, { a: [0] }) }]);
    await until('the task is under way', () => slow.gate.waiting > 0);
    expect(leaver.metrics.tasksInFlight).toEqual({ interactive: 0, bulk: 1 });

    const closed = leaver.lanes.close();
    leaver.lifecycle.leave(new Error('leaving'));
    await closed;
    expect(leaver.metrics.tasksInFlight).toEqual({ interactive: 0, bulk: 0 });
    expect(await queues.get('bulk')!.getWaitingCount()).toBe(1);
    slow.gate.open();

    await consume(bench.processor());
    await until('the job is completed', async () => (await bench.jobs.state(job)) === 'completed');
    expect(await bench.jobs.get(job)).toMatchObject({ done: 1, failed: 0 });
  });

  it('blame no task for a lost device: all go back, none has used an attempt, the worker ends', async () => {
    const { lifecycle, lanes } = await consume(bench.processor({ fault: () => new DeviceUnavailableError('gone') }));
    const job = await bench.acceptJob(1);
    await producer.enqueue([{ id: jobTaskId(job, 0), lane: 'bulk', task: jobTask(job, 0, { a: [0] }) }]);
    await until('the worker gives up', () => lifecycle.leaving.aborted);
    await lanes.close();
    expect(lifecycle.state).toBe('draining');
    const [task] = await queues.get('bulk')!.getJobs(['wait']);
    expect(task).toMatchObject({ id: jobTaskId(job, 0), attemptsMade: 0 });
  });
});

interface Consumed {
  readonly processor: Pick<TaskProcessor, 'process' | 'failedPermanently'>;
  readonly engine: Engine;
}

/** The consumers as the product wires them, over a task processor of the test's choice. */
async function consume({ processor, engine }: Consumed) {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const lifecycle = new Lifecycle();
  const metrics = new WorkerMetrics(lifecycle);
  const results = connectRedis(bench.url, 'worker', 'test');
  const app = await NestFactory.createApplicationContext(
    ConsumersModule.for({
      environment,
      keys,
      connections: { results },
      operations: OPERATIONS,
      models: { processor: () => processor, engine: () => engine },
      lifecycle,
      metrics,
      log,
    }),
    { logger: false, abortOnError: false },
  );
  running.push({ app, results });
  app.get(BullRegistrar).register();
  const lanes = app.get(LaneWorkers);
  await lanes.ready();
  return { lifecycle, metrics, lanes, logged: () => lines };
}

/** With a task processor whose results cannot be stored. */
function broken({ processor, engine }: ReturnType<ProcessorBench['processor']>): Consumed {
  return {
    engine,
    processor: {
      process: () => Promise.reject(new Error('disk full')),
      failedPermanently: (task, taskId, reason) => processor.failedPermanently(task, taskId, reason),
    },
  };
}
