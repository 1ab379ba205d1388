import { Redis } from 'ioredis';
import { encodeRow, isRow, jobTaskId, rowFloats, rowsOfFloats, rowTokens } from '#contracts';
import type { JobRecord, Outcome, Row } from '#contracts';
import { DeviceUnavailableError } from '#inference';
import { RedisCache } from '#store';
import type { Reply } from '#store';
import { until } from '../../../../test/support/until.js';
import {
  cacheKey,
  DIMENSIONS,
  floatsOf,
  jobTask,
  keys,
  POISON,
  ProcessorBench,
  spec,
} from './task-processor.fixture.js';

const bench = await ProcessorBench.start();
const { redis, jobs, cancellations, inbox, results } = bench;
const stays = new AbortController().signal;
const older = { ...spec, fingerprint: '0'.repeat(64) };
/** Of a release that came later. */
const newer = { ...spec, fingerprint: 'a'.repeat(64) };

afterEach(() => bench.clear());
afterAll(() => bench.stop());

describe('a task of a job', () => {
  it('has its rows at every position, its counts and the shared cache', async () => {
    const { processor, counts } = bench.processor();
    const job = await bench.acceptJob(5);
    await processor.process(jobTask(job, 0, { a: [0, 3], b: [1], c: [2, 4] }), jobTaskId(job, 0), 'bulk', stays);

    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 5, failed: 0, cached: 0, tokens: 5 });
    expect(await floats(record!, 5)).toEqual(['a', 'b', 'c', 'a', 'c'].map(floatsOf));
    expect(rowFloats((await redis.getBuffer(cacheKey('b')))!)).toEqual(floatsOf('b'));
    expect(counts).toEqual({ hits: 0, misses: 3, dropped: 0, deadLettered: 0 });
  });

  it('counts once and computes nothing when it runs again', async () => {
    const { processor, engine } = bench.processor();
    const job = await bench.acceptJob(3);
    const task = jobTask(job, 0, { a: [0], b: [1] });
    await processor.process(task, jobTaskId(job, 0), 'bulk', stays);
    await processor.process(task, jobTaskId(job, 0), 'bulk', stays);
    expect(await jobs.get(job)).toMatchObject({ state: 'running', done: 2, tokens: 2 });
    expect(engine.stats().texts).toBe(2);
  });

  it('computes only what the cache has not, and takes a damaged entry for none', async () => {
    const { processor, engine, counts } = bench.processor();
    const first = await bench.acceptJob(2);
    await processor.process(jobTask(first, 0, { a: [0], b: [1] }), jobTaskId(first, 0), 'bulk', stays);
    await redis.set(cacheKey('b'), 'not a row');

    const second = await bench.acceptJob(3);
    await processor.process(jobTask(second, 0, { a: [0], b: [1], c: [2] }), jobTaskId(second, 0), 'bulk', stays);
    const record = await jobs.get(second);
    expect(record).toMatchObject({ state: 'completed', done: 3 });
    expect(await floats(record!, 3)).toEqual(['a', 'b', 'c'].map(floatsOf));
    expect(engine.stats().texts).toBe(4);
    expect(counts).toEqual({ hits: 1, misses: 4, dropped: 0, deadLettered: 0 });
  });

  it('has an error for the text at fault and vectors for its neighbours', async () => {
    const { processor } = bench.processor();
    const job = await bench.acceptJob(4);
    await processor.process(jobTask(job, 0, { a: [0], [POISON]: [1, 3], c: [2] }), jobTaskId(job, 0), 'bulk', stays);
    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 2, failed: 2 });
    expect((await floats(record!, 4)).map((one) => one !== null)).toEqual([true, false, true, false]);
    const errors = await jobs.errors(job, [0, 1, 2, 3]);
    expect([...errors.keys()]).toEqual([1, 3]);
    expect(errors.get(1)).toMatchObject({ code: 'inference_failed' });
    expect(errors.get(3)).toMatchObject({ code: 'inference_failed' });
    expect(await redis.exists(cacheKey(POISON))).toBe(0);
  });

  it('is not computed when the job was cancelled before', async () => {
    const { processor, engine, counts } = bench.processor();
    const job = await bench.acceptJob(2);
    await jobs.cancel(job);
    await processor.process(jobTask(job, 0, { a: [0], b: [1] }), jobTaskId(job, 0), 'bulk', stays);
    expect(engine.stats().batches).toBe(0);
    expect(await jobs.get(job)).toMatchObject({ state: 'cancelled', done: 0, failed: 0 });
    expect(counts.dropped).toBe(2);
  });

  it('is dropped from the engine when the job is cancelled meanwhile', async () => {
    const { processor, engine, gate, handedIn } = bench.processor({ shut: true });
    const [running, cancelled] = [await bench.acceptJob(3), await bench.acceptJob(1)];
    const first = processor.process(
      jobTask(running, 0, { a: [0], b: [1], c: [2] }),
      jobTaskId(running, 0),
      'bulk',
      stays,
    );
    await until('the device is busy', () => gate.waiting > 0);
    const second = processor.process(jobTask(cancelled, 0, { late: [0] }), jobTaskId(cancelled, 0), 'bulk', stays);
    await until('the second task is in the engine', () => handedIn.has('late'));

    await jobs.cancel(cancelled);
    await cancellations.cancelJob(cancelled);
    await second;
    gate.open();
    await first;
    expect(engine.stats()).toMatchObject({ texts: 3, cancelledTexts: 1 });
    expect(await jobs.get(running)).toMatchObject({ state: 'completed', done: 3 });
  });

  it('shares the texts of another task in flight, whose cancellation does not disturb it', async () => {
    const { processor, engine, gate, handedIn } = bench.processor({ shut: true });
    const [busy, owner, sharer] = [await bench.acceptJob(1), await bench.acceptJob(2), await bench.acceptJob(2)];
    const tasks = [processor.process(jobTask(busy, 0, { x: [0] }), jobTaskId(busy, 0), 'bulk', stays)];
    await until('the device is busy', () => gate.waiting > 0);
    tasks.push(processor.process(jobTask(owner, 0, { a: [0], b: [1] }), jobTaskId(owner, 0), 'bulk', stays));
    await until('the first task is in the engine', () => handedIn.has('b'));
    tasks.push(processor.process(jobTask(sharer, 0, { b: [0], c: [1] }), jobTaskId(sharer, 0), 'bulk', stays));
    await until('the second task is in the engine', () => handedIn.has('c'));

    await jobs.cancel(owner);
    await cancellations.cancelJob(owner);
    await tasks[1];
    gate.open();
    await Promise.all(tasks);
    const record = await jobs.get(sharer);
    expect(record).toMatchObject({ state: 'completed', done: 2 });
    expect(await floats(record!, 2)).toEqual(['b', 'c'].map(floatsOf));
    expect(engine.stats()).toMatchObject({ texts: 3, cancelledTexts: 1 });
  });

  it('for another version of the model is done as this one does it, while its job has no row', async () => {
    const { processor } = bench.processor();
    const job = await bench.acceptJob(2, older);
    const task = { ...jobTask(job, 0, { a: [0], b: [1] }), spec: older };
    await processor.process(task, jobTaskId(job, 0), 'bulk', stays);
    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 2, failed: 0, spec });
    expect(await floats(record!, 2)).toEqual(['a', 'b'].map(floatsOf));
    expect(await redis.exists(cacheKey('a'))).toBe(1);
  });

  it('for another version of the model is refused input by input once its job has rows of that one', async () => {
    const { processor, engine, counts } = bench.processor();
    const job = await bench.acceptJob(3, older);
    const row = encodeRow(floatsOf('x'), 1, false);
    await jobs.acknowledge({
      jobId: job,
      unit: 0,
      cached: false,
      fingerprint: older.fingerprint,
      rowBytes: rowsOfFloats(DIMENSIONS),
      rows: [{ position: 0, row }],
      errors: [],
    });
    const task = { ...jobTask(job, 1, { a: [1], b: [2] }), spec: older };
    await processor.process(task, jobTaskId(job, 1), 'bulk', stays);
    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 1, failed: 2, spec: older });
    const errors = await jobs.errors(job, [0, 1, 2]);
    expect([...errors.keys()]).toEqual([1, 2]);
    expect(errors.get(1)).toMatchObject({ code: 'model_changed' });
    expect(engine.stats().batches).toBe(0);
    expect(counts.deadLettered).toBe(2);
  });

  it('goes back to the queue when its job goes on under another version while it is computed, and is done later', async () => {
    const { processor, gate } = bench.processor({ shut: true });
    const job = await bench.acceptJob(1);
    const held = processor.process(jobTask(job, 0, { a: [0] }), jobTaskId(job, 0), 'bulk', stays);
    await until('the device is busy', () => gate.waiting > 0);
    expect(await jobs.replan(job, newer, rowsOfFloats(DIMENSIONS))).toBe('replanned');
    gate.open();
    await expect(held).rejects.toThrow('another version');
    expect(await jobs.get(job)).toMatchObject({ done: 0, failed: 0, spec: newer });
    // No row came of the other version, and this one is back.
    await processor.process(jobTask(job, 0, { a: [0] }), jobTaskId(job, 0), 'bulk', stays);
    expect(await jobs.get(job)).toMatchObject({ state: 'completed', done: 1, failed: 0, spec });
  });

  it('is refused input by input when its job has rows of a version that came later', async () => {
    const { processor, engine } = bench.processor();
    const job = await bench.acceptJob(2);
    await jobs.replan(job, newer, rowsOfFloats(DIMENSIONS));
    const row = encodeRow(floatsOf('x'), 1, false);
    await jobs.acknowledge({
      jobId: job,
      unit: 1,
      cached: false,
      fingerprint: newer.fingerprint,
      rowBytes: rowsOfFloats(DIMENSIONS),
      rows: [{ position: 1, row }],
      errors: [],
    });
    await processor.process(jobTask(job, 0, { a: [0] }), jobTaskId(job, 0), 'bulk', stays);
    expect(await jobs.get(job)).toMatchObject({ state: 'completed', done: 1, failed: 1, spec: newer });
    expect((await jobs.errors(job, [0])).get(0)).toMatchObject({ code: 'model_changed' });
    expect(engine.stats().batches).toBe(0);
  });

  it('ends its job with errors when all attempts are used up', async () => {
    const { processor } = bench.processor();
    const job = await bench.acceptJob(2);
    await processor.failedPermanently(
      jobTask(job, 0, { a: [0], b: [1] }),
      jobTaskId(job, 0),
      new Error('the disk is on fire'),
    );
    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 0, failed: 2 });
    expect((await jobs.errors(job, [0, 1])).get(1)).toEqual({
      code: 'task_failed',
      message: 'gave up: the disk is on fire',
    });
  });

  it('throws with nothing stored when the device is lost, so that the queue tries again', async () => {
    const { processor } = bench.processor({ fault: () => new DeviceUnavailableError('gone') });
    const job = await bench.acceptJob(1);
    await expect(processor.process(jobTask(job, 0, { a: [0] }), jobTaskId(job, 0), 'bulk', stays)).rejects.toThrow(
      'gone',
    );
    expect(await jobs.get(job)).toMatchObject({ state: 'queued', done: 0, failed: 0 });
  });

  it('throws with nothing stored when the worker leaves', async () => {
    const { processor, gate } = bench.processor({ shut: true });
    const job = await bench.acceptJob(1);
    const leaving = new AbortController();
    const held = processor.process(jobTask(job, 0, { a: [0] }), jobTaskId(job, 0), 'bulk', leaving.signal);
    await until('the device is busy', () => gate.waiting > 0);
    leaving.abort(new Error('leaving'));
    await expect(held).rejects.toThrow('leaving');
    gate.open();
    expect(await jobs.get(job)).toMatchObject({ state: 'queued', done: 0, failed: 0 });
  });
});

describe('a task of waiting requests', () => {
  it('is answered by a reply, and its texts are in the cache', async () => {
    const { processor } = bench.processor();
    const task = bench.requestTask(['a', POISON, 'c']);
    const answer = inbox.wait('t1', { timeoutMs: 10_000 });
    await processor.process(task, 't1', 'interactive', stays);
    const [first, second, third, ...rest] = outcomesOf(await answer);
    expect(rest).toEqual([]);
    expect(rowFloats(rowOf(first))).toEqual(floatsOf('a'));
    expect(rowTokens(rowOf(first))).toBe(1);
    expect(second).toMatchObject({ code: 'inference_failed' });
    expect(rowFloats(rowOf(third))).toEqual(floatsOf('c'));
    expect(await redis.exists(cacheKey('a'))).toBe(1);
  });

  it('for another version of the model is answered so, input by input', async () => {
    const { processor, engine } = bench.processor();
    const answer = inbox.wait('t0', { timeoutMs: 10_000 });
    await processor.process({ ...bench.requestTask(['a', 'b']), spec: older }, 't0', 'interactive', stays);
    expect(outcomesOf(await answer)).toMatchObject([{ code: 'model_changed' }, { code: 'model_changed' }]);
    expect(engine.stats().batches).toBe(0);
  });

  it('is looked up in the cache only when it waited, since the API looked before', async () => {
    const { processor, engine } = bench.processor();
    await processor.process(bench.requestTask(['a']), 't8', 'interactive', stays);
    expect(engine.stats().texts).toBe(1);
    await processor.process(waited(bench.requestTask(['a'])), 't9', 'interactive', stays);
    expect(engine.stats().texts).toBe(1);
    await processor.process(bench.requestTask(['a']), 't10', 'interactive', stays);
    expect(engine.stats().texts).toBe(2);
  });

  it('is not computed when nobody waits for it any more', async () => {
    const { processor, engine } = bench.processor();
    await processor.process({ ...bench.requestTask(['a']), deadlineAt: Date.now() - 1 }, 't2', 'interactive', stays);
    await cancellations.drop('t3', [0, 1]);
    await processor.process(waited(bench.requestTask(['a', 'b'])), 't3', 'interactive', stays);
    expect(engine.stats().batches).toBe(0);
    expect(await redis.exists(keys.reply('t2'), keys.reply('t3'))).toBe(0);
  });

  it('leaves out the texts that were dropped, before it was taken and while it waited', async () => {
    const { processor, engine, gate, handedIn } = bench.processor({ shut: true });
    const busy = processor.process(bench.requestTask(['x']), 't4', 'interactive', stays);
    await until('the device is busy', () => gate.waiting > 0);
    await cancellations.drop('t5', [0]);
    const answer = inbox.wait('t5', { timeoutMs: 10_000 });
    const held = processor.process(waited(bench.requestTask(['a', 'b', 'c'])), 't5', 'interactive', stays);
    await until('two of its texts are in the engine', () => handedIn.has('b') && handedIn.has('c'));
    await cancellations.drop('t5', [2]);
    await until('one is left', () => engine.stats().cancelledTexts === 1);
    gate.open();
    await Promise.all([busy, held]);
    expect(engine.stats().texts).toBe(2);
    const [first, second, third] = outcomesOf(await answer);
    expect([first, third]).toMatchObject([{ code: 'cancelled' }, { code: 'cancelled' }]);
    expect(rowFloats(rowOf(second))).toEqual(floatsOf('b'));
  });
});

it('without its cache a task processor works all the same', async () => {
  const nowhere = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false, retryStrategy: () => null });
  nowhere.on('error', () => undefined);
  let failures = 0;
  const { processor } = bench.processor({ cache: new RedisCache(nowhere, { onError: () => failures++ }) });
  const job = await bench.acceptJob(2);
  await processor.process(jobTask(job, 0, { a: [0], b: [1] }), jobTaskId(job, 0), 'bulk', stays);
  expect(await jobs.get(job)).toMatchObject({ state: 'completed', done: 2 });
  expect(failures).toBe(2);
});

/** In the queue, for a second. */
function waited<T extends { acceptedAt: number }>(task: T): T {
  return { ...task, acceptedAt: task.acceptedAt - 1000 };
}

async function floats(job: JobRecord, count: number): Promise<(Float32Array | null)[]> {
  return (await results.read(job, 0, count)).map((row) => (row === null ? null : rowFloats(row)));
}

function outcomesOf(reply: Reply | 'late' | 'cancelled'): readonly Outcome[] {
  if (typeof reply === 'string') throw new Error(`no reply: ${reply}`);
  return reply.outcomes;
}

function rowOf(outcome: Outcome | undefined): Row {
  if (outcome === undefined || !isRow(outcome)) throw new Error(`no row: ${JSON.stringify(outcome)}`);
  return outcome;
}
