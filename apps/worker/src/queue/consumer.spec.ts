import { BullRegistrar } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import { pino } from 'pino';
import { readEnvironment } from '#config';
import { jobTaskId } from '#contracts';
import type { Lane } from '#contracts';
import { DeviceUnavailableError } from '#inference';
import { LaneProducer } from '#queue';
import { until } from '../../../test/support/until.js';
import { LanesModule, LaneWorkers } from './lanes.module.js';
import { Lifecycle } from './lifecycle.js';
import { LOG } from './operation/log.js';
import { WorkerMetrics } from './operation/metrics.js';
import type { Mill } from './process/task-processor.js';
import { card, jobTask, keys, MillBench } from './process/task-processor.fixture.js';
import { Connections, RedisModule } from './redis.module.js';
import { ServedModels } from './process/served-models.js';

const ATTEMPTS = 2;
const bench = await MillBench.start();
const environment = readEnvironment({
  REDIS_URL: bench.url,
  EMBED_KEY_PREFIX: 'test',
  EMBED_MODELS: card.name,
  EMBED_LOCK_MS: '2000',
  EMBED_STALLED_CHECK_MS: '500',
});
const producerConnection = bench.redis.duplicate();
const queues = new Map<Lane, Queue>();
for (const lane of ['interactive', 'bulk'] as const) {
  queues.set(
    lane,
    new Queue(keys.queue(card.name, lane), { connection: producerConnection, prefix: keys.queuePrefix() }),
  );
}
const producer = new LaneProducer((_, lane) => queues.get(lane)!, { attempts: ATTEMPTS });
const running: INestApplicationContext[] = [];

afterEach(async () => {
  for (const app of running.splice(0)) {
    await app.close();
    app.get(Connections).close();
  }
  await bench.clear();
});
afterAll(async () => {
  for (const queue of queues.values()) await queue.close();
  producerConnection.disconnect();
  await bench.stop();
});

describe('lane consumers', () => {
  it('take tasks of both lanes to the mill, and leave nothing in the queue', async () => {
    const { mill } = bench.mill();
    await consume(mill);
    const job = await bench.acceptJob(1);
    const answer = bench.inbox.wait('t', { timeoutMs: 10_000 });
    await producer.enqueue([
      { id: jobTaskId(job, 0), lane: 'bulk', task: jobTask(job, 0, { a: [0] }) },
      { id: 't', lane: 'interactive', task: bench.requestTask(['b']) },
    ]);
    expect(await answer).toMatchObject([{ ok: true }]);
    await until('the job is completed', async () => (await bench.jobs.state(job)) === 'completed');
    await until('the queue is empty', async () => {
      const counts = await Promise.all([...queues.values()].map((queue) => queue.getJobCountByTypes()));
      return counts.every((count) => count === 0);
    });
  });

  it('try a task again, and report its texts when all attempts are used up', async () => {
    const { mill } = bench.mill();
    const { logged, metrics } = await consume(broken(mill));
    const job = await bench.acceptJob(2);
    const task = { ...jobTask(job, 0, { 'a heron': [0], 'b': [1] }), requestId: 'asked-by-me' };
    await producer.enqueue([{ id: jobTaskId(job, 0), lane: 'bulk', task }]);
    const record = await until('the job is completed', async () => {
      const now = await bench.jobs.get(job);
      return now?.state === 'completed' && now;
    });
    expect(record).toMatchObject({ done: 0, failed: 2 });
    expect((await bench.jobs.rawRows(record, 0, 2)).errors.get(0)).toEqual({
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
    const { mill, engine } = bench.mill();
    await consume(mill);
    await until('the job is completed', async () => (await bench.jobs.state(job)) === 'completed');
    expect(await bench.jobs.get(job)).toMatchObject({ done: 0, failed: 1 });
    expect(engine.stats().batches).toBe(0);
  });

  it('give back at once what they hold when the worker leaves, and another worker takes it', async () => {
    const slow = bench.mill({ shut: true });
    const leaver = await consume(slow.mill);
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

    await consume(bench.mill().mill);
    await until('the job is completed', async () => (await bench.jobs.state(job)) === 'completed');
    expect(await bench.jobs.get(job)).toMatchObject({ done: 1, failed: 0 });
  });

  it('blame no task for a lost device: all go back, none has used an attempt, the worker ends', async () => {
    const { mill } = bench.mill({ fault: () => new DeviceUnavailableError('gone') });
    const { lifecycle, lanes } = await consume(mill);
    const job = await bench.acceptJob(1);
    await producer.enqueue([{ id: jobTaskId(job, 0), lane: 'bulk', task: jobTask(job, 0, { a: [0] }) }]);
    await until('the worker gives up', () => lifecycle.leaving.aborted);
    await lanes.close();
    expect(lifecycle.state).toBe('draining');
    const [task] = await queues.get('bulk')!.getJobs(['wait']);
    expect(task).toMatchObject({ id: jobTaskId(job, 0), attemptsMade: 0 });
  });
});

/** The consumers as the product wires them, over a mill of the test's choice. */
async function consume(mill: Pick<Mill, 'process' | 'exhausted'>) {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const lifecycle = new Lifecycle();
  const metrics = new WorkerMetrics(lifecycle);
  const provided = [
    { provide: LOG, useValue: log },
    { provide: Lifecycle, useValue: lifecycle },
    { provide: WorkerMetrics, useValue: metrics },
    {
      provide: ServedModels,
      useValue: { mill: () => mill, engine: () => ({ stats: () => ({ texts: 0, busyMs: 0 }) }) },
    },
  ];
  const app = await NestFactory.createApplicationContext(
    {
      module: TestModule,
      global: true,
      imports: [RedisModule.for(environment), LanesModule.for(environment)],
      providers: provided,
      exports: provided.map(({ provide }) => provide),
    },
    { logger: false, abortOnError: false },
  );
  running.push(app);
  app.get(BullRegistrar).register();
  const lanes = app.get(LaneWorkers);
  await lanes.ready();
  return { lifecycle, metrics, lanes, logged: () => lines };
}

@Module({})
class TestModule {}

/** A mill whose results cannot be stored. */
function broken(mill: Mill): Pick<Mill, 'process' | 'exhausted'> {
  return {
    process: () => Promise.reject(new Error('disk full')),
    exhausted: (task, taskId, reason) => mill.exhausted(task, taskId, reason),
  };
}
