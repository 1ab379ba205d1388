import { Redis } from 'ioredis';
import { jobTaskId } from '#contracts';
import type { JobRecord } from '#contracts';
import { DeviceUnavailableError } from '#inference';
import { decodeRow, RedisCache } from '#store';
import { until } from '../../../../test/support/until.js';
import { cacheKey, DIMENSIONS, jobTask, keys, MillBench, POISON, spec, vectorOf } from './task-processor.fixture.js';

const bench = await MillBench.start();
const { redis, jobs, aborts, inbox } = bench;
const stays = new AbortController().signal;

afterEach(() => bench.clear());
afterAll(() => bench.stop());

describe('a task of a job', () => {
  it('has its rows at every position, its counts and the shared cache', async () => {
    const { mill, counts } = bench.mill();
    const job = await bench.acceptJob(5);
    await mill.process(jobTask(job, 0, { a: [0, 3], b: [1], c: [2, 4] }), jobTaskId(job, 0), 'bulk', stays);

    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 5, failed: 0, cached: 0, tokens: 5 });
    expect(await vectors(record!, 5)).toEqual(['a', 'b', 'c', 'a', 'c'].map(vectorOf));
    expect(decodeRow((await redis.getBuffer(cacheKey('b')))!, DIMENSIONS).vector).toEqual(vectorOf('b'));
    expect(counts).toEqual({ hits: 0, misses: 3, dropped: 0 });
  });

  it('counts once and computes nothing when it runs again', async () => {
    const { mill, engine } = bench.mill();
    const job = await bench.acceptJob(3);
    const task = jobTask(job, 0, { a: [0], b: [1] });
    await mill.process(task, jobTaskId(job, 0), 'bulk', stays);
    await mill.process(task, jobTaskId(job, 0), 'bulk', stays);
    expect(await jobs.get(job)).toMatchObject({ state: 'running', done: 2, tokens: 2 });
    expect(engine.stats().texts).toBe(2);
  });

  it('computes only what the cache has not, and takes a damaged entry for none', async () => {
    const { mill, engine, counts } = bench.mill();
    const first = await bench.acceptJob(2);
    await mill.process(jobTask(first, 0, { a: [0], b: [1] }), jobTaskId(first, 0), 'bulk', stays);
    await redis.set(cacheKey('b'), 'not a row');

    const second = await bench.acceptJob(3);
    await mill.process(jobTask(second, 0, { a: [0], b: [1], c: [2] }), jobTaskId(second, 0), 'bulk', stays);
    const record = await jobs.get(second);
    expect(record).toMatchObject({ state: 'completed', done: 3 });
    expect(await vectors(record!, 3)).toEqual(['a', 'b', 'c'].map(vectorOf));
    expect(engine.stats().texts).toBe(4);
    expect(counts).toEqual({ hits: 1, misses: 4, dropped: 0 });
  });

  it('has an error for the text at fault and vectors for its neighbours', async () => {
    const { mill } = bench.mill();
    const job = await bench.acceptJob(4);
    await mill.process(jobTask(job, 0, { a: [0], [POISON]: [1, 3], c: [2] }), jobTaskId(job, 0), 'bulk', stays);
    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 2, failed: 2 });
    const { rows, errors } = await jobs.rawRows(record!, 0, 4);
    expect(rows.map((row) => row !== null)).toEqual([true, false, true, false]);
    expect(errors.get(1)).toMatchObject({ code: 'inference_failed' });
    expect(errors.get(3)).toMatchObject({ code: 'inference_failed' });
    expect(await redis.exists(cacheKey(POISON))).toBe(0);
  });

  it('is not computed when the job was cancelled before', async () => {
    const { mill, engine, counts } = bench.mill();
    const job = await bench.acceptJob(2);
    await jobs.cancel(job);
    await mill.process(jobTask(job, 0, { a: [0], b: [1] }), jobTaskId(job, 0), 'bulk', stays);
    expect(engine.stats().batches).toBe(0);
    expect(await jobs.get(job)).toMatchObject({ state: 'cancelled', done: 0, failed: 0 });
    expect(counts.dropped).toBe(2);
  });

  it('is dropped from the engine when the job is cancelled meanwhile', async () => {
    const { mill, engine, gate, handedIn } = bench.mill({ shut: true });
    const [running, cancelled] = [await bench.acceptJob(3), await bench.acceptJob(1)];
    const first = mill.process(jobTask(running, 0, { a: [0], b: [1], c: [2] }), jobTaskId(running, 0), 'bulk', stays);
    await until('the device is busy', () => gate.waiting > 0);
    const second = mill.process(jobTask(cancelled, 0, { late: [0] }), jobTaskId(cancelled, 0), 'bulk', stays);
    await until('the second task is in the engine', () => handedIn.has('late'));

    await jobs.cancel(cancelled);
    await aborts.abortJob(cancelled);
    await second;
    gate.open();
    await first;
    expect(engine.stats()).toMatchObject({ texts: 3, cancelledTexts: 1 });
    expect(await jobs.get(running)).toMatchObject({ state: 'completed', done: 3 });
  });

  it('shares the texts of another task in flight, whose cancellation does not disturb it', async () => {
    const { mill, engine, gate, handedIn } = bench.mill({ shut: true });
    const [busy, owner, sharer] = [await bench.acceptJob(1), await bench.acceptJob(2), await bench.acceptJob(2)];
    const tasks = [mill.process(jobTask(busy, 0, { x: [0] }), jobTaskId(busy, 0), 'bulk', stays)];
    await until('the device is busy', () => gate.waiting > 0);
    tasks.push(mill.process(jobTask(owner, 0, { a: [0], b: [1] }), jobTaskId(owner, 0), 'bulk', stays));
    await until('the first task is in the engine', () => handedIn.has('b'));
    tasks.push(mill.process(jobTask(sharer, 0, { b: [0], c: [1] }), jobTaskId(sharer, 0), 'bulk', stays));
    await until('the second task is in the engine', () => handedIn.has('c'));

    await jobs.cancel(owner);
    await aborts.abortJob(owner);
    await tasks[1];
    gate.open();
    await Promise.all(tasks);
    const record = await jobs.get(sharer);
    expect(record).toMatchObject({ state: 'completed', done: 2 });
    expect(await vectors(record!, 2)).toEqual(['b', 'c'].map(vectorOf));
    expect(engine.stats()).toMatchObject({ texts: 3, cancelledTexts: 1 });
  });

  it('of another version of the model is refused text by text', async () => {
    const { mill, engine } = bench.mill();
    const job = await bench.acceptJob(2);
    const task = { ...jobTask(job, 0, { a: [0], b: [1] }), spec: { ...spec, fingerprint: '0'.repeat(64) } };
    await mill.process(task, jobTaskId(job, 0), 'bulk', stays);
    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 0, failed: 2 });
    expect((await jobs.rawRows(record!, 0, 2)).errors.get(0)).toMatchObject({ code: 'model_changed' });
    expect(engine.stats().batches).toBe(0);
  });

  it('ends its job with errors when all attempts are used up', async () => {
    const { mill } = bench.mill();
    const job = await bench.acceptJob(2);
    await mill.exhausted(jobTask(job, 0, { a: [0], b: [1] }), jobTaskId(job, 0), new Error('the disk is on fire'));
    const record = await jobs.get(job);
    expect(record).toMatchObject({ state: 'completed', done: 0, failed: 2 });
    expect((await jobs.rawRows(record!, 0, 2)).errors.get(1)).toEqual({
      code: 'task_failed',
      message: 'gave up: the disk is on fire',
    });
  });

  it('throws with nothing stored when the device is lost, so that the queue tries again', async () => {
    const { mill } = bench.mill({ fault: () => new DeviceUnavailableError('gone') });
    const job = await bench.acceptJob(1);
    await expect(mill.process(jobTask(job, 0, { a: [0] }), jobTaskId(job, 0), 'bulk', stays)).rejects.toThrow('gone');
    expect(await jobs.get(job)).toMatchObject({ state: 'queued', done: 0, failed: 0 });
  });

  it('throws with nothing stored when the worker leaves', async () => {
    const { mill, gate } = bench.mill({ shut: true });
    const job = await bench.acceptJob(1);
    const leaving = new AbortController();
    const held = mill.process(jobTask(job, 0, { a: [0] }), jobTaskId(job, 0), 'bulk', leaving.signal);
    await until('the device is busy', () => gate.waiting > 0);
    leaving.abort(new Error('leaving'));
    await expect(held).rejects.toThrow('leaving');
    gate.open();
    expect(await jobs.get(job)).toMatchObject({ state: 'queued', done: 0, failed: 0 });
  });
});

describe('a task of waiting requests', () => {
  it('is answered by a reply, and its texts are in the cache', async () => {
    const { mill } = bench.mill();
    const task = bench.requestTask(['a', POISON, 'c']);
    const answer = inbox.wait('t1', { timeoutMs: 10_000 });
    await mill.process(task, 't1', 'interactive', stays);
    const results = await answer;
    expect(results).toHaveLength(3);
    expect(results[0]).toMatchObject({ ok: true, vector: vectorOf('a'), tokens: 1 });
    expect(results[1]).toMatchObject({ ok: false, error: { code: 'inference_failed' } });
    expect(results[2]).toMatchObject({ ok: true, vector: vectorOf('c') });
    expect(await redis.exists(cacheKey('a'))).toBe(1);
  });

  it('is looked up in the cache only when it waited, since the API looked before', async () => {
    const { mill, engine } = bench.mill();
    await mill.process(bench.requestTask(['a']), 't8', 'interactive', stays);
    expect(engine.stats().texts).toBe(1);
    await mill.process(waited(bench.requestTask(['a'])), 't9', 'interactive', stays);
    expect(engine.stats().texts).toBe(1);
    await mill.process(bench.requestTask(['a']), 't10', 'interactive', stays);
    expect(engine.stats().texts).toBe(2);
  });

  it('is not computed when nobody waits for it any more', async () => {
    const { mill, engine } = bench.mill();
    await mill.process({ ...bench.requestTask(['a']), deadlineAt: Date.now() - 1 }, 't2', 'interactive', stays);
    await aborts.drop('t3', [0, 1]);
    await mill.process(waited(bench.requestTask(['a', 'b'])), 't3', 'interactive', stays);
    expect(engine.stats().batches).toBe(0);
    expect(await redis.exists(keys.reply('t2'), keys.reply('t3'))).toBe(0);
  });

  it('leaves out the texts that were dropped, before it was taken and while it waited', async () => {
    const { mill, engine, gate, handedIn } = bench.mill({ shut: true });
    const busy = mill.process(bench.requestTask(['x']), 't4', 'interactive', stays);
    await until('the device is busy', () => gate.waiting > 0);
    await aborts.drop('t5', [0]);
    const answer = inbox.wait('t5', { timeoutMs: 10_000 });
    const held = mill.process(waited(bench.requestTask(['a', 'b', 'c'])), 't5', 'interactive', stays);
    await until('two of its texts are in the engine', () => handedIn.has('b') && handedIn.has('c'));
    await aborts.drop('t5', [2]);
    await until('one is left', () => engine.stats().cancelledTexts === 1);
    gate.open();
    await Promise.all([busy, held]);
    expect(engine.stats().texts).toBe(2);
    expect(await answer).toMatchObject([
      { ok: false, error: { code: 'cancelled' } },
      { ok: true, vector: vectorOf('b') },
      { ok: false, error: { code: 'cancelled' } },
    ]);
  });
});

it('without its cache a mill works all the same', async () => {
  const nowhere = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false, retryStrategy: () => null });
  nowhere.on('error', () => undefined);
  let failures = 0;
  const { mill } = bench.mill({ cache: new RedisCache(nowhere, { onError: () => failures++ }) });
  const job = await bench.acceptJob(2);
  await mill.process(jobTask(job, 0, { a: [0], b: [1] }), jobTaskId(job, 0), 'bulk', stays);
  expect(await jobs.get(job)).toMatchObject({ state: 'completed', done: 2 });
  expect(failures).toBe(2);
});

/** In the queue, for a second. */
function waited<T extends { acceptedAt: number }>(task: T): T {
  return { ...task, acceptedAt: task.acceptedAt - 1000 };
}

async function vectors(job: JobRecord, count: number): Promise<(Float32Array | null)[]> {
  const { rows } = await jobs.rawRows(job, 0, count);
  return rows.map((row) => (row === null ? null : decodeRow(row, DIMENSIONS).vector));
}
