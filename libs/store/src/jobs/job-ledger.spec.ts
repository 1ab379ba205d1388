import { Keys, SLICE_ROWS } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from '../redis/client.js';
import { FinishedJobs } from './finished-jobs.js';
import { jobOf, openJob, openLedger, ROW_BYTES, rowAt, SPEC, unitOf } from './ledger.fixture.js';

const keys = new Keys('test');
const server = await startRedis({ aof: true });
const redis = connectRedis(server.url, 'worker', 'test');
const subscriber = connectRedis(server.url, 'subscriber', 'test');
const { ledger, results } = openLedger(redis, keys);

afterAll(async () => {
  for (const connection of [redis, subscriber]) connection.disconnect();
  await server.stop();
});

it('keeps what a job was created with', async () => {
  const wanted = jobOf({ lane: 'interactive', tenant: 't', keyId: 'k' });
  await ledger.create(wanted);
  expect(await ledger.state(wanted.id)).toBe('receiving');
  await ledger.accept(wanted.id, 5, 2);
  expect(await ledger.get(wanted.id)).toMatchObject({
    ...wanted,
    spec: SPEC,
    rowBytes: ROW_BYTES,
    state: 'receiving',
    output: { dimensions: null, normalize: true },
    texts: 5,
    units: 2,
    done: 0,
    startedAt: null,
    error: null,
  });
});

it('knows nothing of a job that is not there', async () => {
  expect(await ledger.get('job_none')).toBeNull();
  expect(await ledger.state('job_none')).toBeNull();
  expect(await ledger.progress('job_none')).toBeNull();
  expect(await ledger.accept('job_none', 1)).toBe('failed');
  expect(await ledger.seal('job_none')).toBe('failed');
  expect(await ledger.cancel('job_none')).toBeNull();
  expect(await ledger.acknowledge(unitOf('job_none', 0, [0]))).toEqual({ counted: 'before', state: null });
  expect(await redis.exists(keys.job('job_none'), keys.jobAcks('job_none'), keys.jobSlice('job_none', 0))).toBe(0);
});

it('keeps errors beside the rows and completes all the same', async () => {
  const id = await openJob(ledger, 3);
  const error = { code: 'inference_failed', message: 'no' } as const;
  await ledger.acknowledge(unitOf(id, 0, [0, 2], { errors: [{ position: 1, error }] }));
  expect(await ledger.seal(id)).toBe('completed');
  const job = (await ledger.get(id))!;
  expect(job).toMatchObject({ done: 2, failed: 1, state: 'completed' });
  expect(await results.read(job, 0, 3)).toEqual([rowAt(0), null, rowAt(2)]);
  expect([...(await ledger.errors(id, [0, 1, 2]))]).toEqual([[1, error]]);
  expect(await ledger.errors(id, [])).toEqual(new Map());
});

it('knows which units are counted, and how far a job is', async () => {
  const id = await openJob(ledger, 10, { keyId: 'k', lane: 'interactive' });
  const error = { code: 'inference_failed', message: 'no' } as const;
  await ledger.acknowledge(unitOf(id, 1, [0, 1, 2], { errors: [{ position: 3, error }] }));
  expect([await ledger.acknowledged(id, 0), await ledger.acknowledged(id, 1)]).toEqual([false, true]);
  expect(await ledger.progress(id)).toEqual({
    state: 'receiving',
    model: 'm',
    lane: 'interactive',
    keyId: 'k',
    unfinished: 6,
  });
});

it('goes from queued to running to completed and tells who waits, once', async () => {
  const finished = new FinishedJobs(subscriber, keys);
  await subscriber.ping();
  const id = await openJob(ledger, 2);
  expect(await ledger.seal(id)).toBe('queued');
  await ledger.acknowledge(unitOf(id, 0, [0]));
  expect(await ledger.get(id)).toMatchObject({ state: 'running', startedAt: expect.any(Number), finishedAt: null });
  const news = finished.wait(id, { timeoutMs: 30_000 });
  expect(await ledger.acknowledge(unitOf(id, 1, [1]))).toEqual({ counted: 'now', state: 'completed' });
  await news;
  expect(await ledger.acknowledge(unitOf(id, 1, [1]))).toEqual({ counted: 'before', state: 'completed' });
});

it('takes nothing more once cancelled', async () => {
  const id = await openJob(ledger, 10);
  await ledger.acknowledge(unitOf(id, 0, [0, 1, 2]));
  expect(await ledger.cancel(id)).toBe('cancelled');
  expect(await ledger.acknowledge(unitOf(id, 1, [3]))).toEqual({ counted: 'before', state: 'cancelled' });
  expect(await ledger.accept(id, 5)).toBe('cancelled');
  expect(await ledger.seal(id)).toBe('cancelled');
  expect(await ledger.fail(id, { code: 'x', message: 'y' })).toBe('cancelled');
  const job = (await ledger.get(id))!;
  expect(job).toMatchObject({ state: 'cancelled', texts: 10, done: 3, error: null });
  expect((await results.read(job, 3, 1))[0]).toBeNull();
});

it('says why it failed', async () => {
  const id = await openJob(ledger, 10);
  expect(await ledger.fail(id, { code: 'x', message: 'y' })).toBe('failed');
  expect(await ledger.get(id)).toMatchObject({ state: 'failed', error: { code: 'x', message: 'y' } });
});

it('finds out an upload whose API process died', async () => {
  const id = await openJob(ledger, 4);
  await redis.hset(keys.job(id), 'heardAt', Date.now() - 61_000);
  expect(await ledger.get(id)).toMatchObject({ state: 'failed', error: { code: 'upload_aborted' } });
});

it('keeps the slices of a long job as long as the job', async () => {
  const id = await openJob(ledger, SLICE_ROWS + 1);
  const slice = keys.jobSlice(id, 0);
  const left = () => redis.pttl(slice);
  await ledger.acknowledge(unitOf(id, 0, [0]));
  await redis.pexpire(slice, 5000);
  expect(await ledger.acknowledge(unitOf(id, 1, [1]))).toMatchObject({ counted: 'now' });
  expect(await left()).toBeGreaterThan(50_000);

  // A third of its time to live after the last renewal, whatever slice is written meanwhile.
  await redis.pexpire(slice, 5000);
  await ledger.acknowledge(unitOf(id, 2, [SLICE_ROWS]));
  expect(await left()).toBeLessThanOrEqual(5000);
  await redis.hset(keys.job(id), 'keptAt', Date.now() - 20_000);
  await ledger.accept(id, 0);
  expect(await left()).toBeGreaterThan(50_000);

  await redis.pexpire(slice, 5000);
  await redis.hset(keys.job(id), 'keptAt', Date.now() - 20_000);
  await ledger.acknowledge(unitOf(id, 3, []));
  expect(await left()).toBeGreaterThan(50_000);

  for (const key of [slice, keys.jobAcks(id)]) await redis.pexpire(key, 5000);
  await ledger.cancel(id);
  expect(await left()).toBeGreaterThan(50_000);
  expect(await redis.pttl(keys.jobAcks(id))).toBeGreaterThan(50_000);
});

it('still knows everything after the server was stopped and started again', async () => {
  const id = await openJob(ledger, 2);
  await ledger.acknowledge(unitOf(id, 0, [0]));
  // Not killed: with `everysec`, as the product has it, a kill may take acknowledged writes with it while the disk is slow.
  await server.halt();
  const pending = ledger.acknowledge(unitOf(id, 0, [0]));
  await server.start();
  expect((await pending).counted).toBe('before');
  await ledger.acknowledge(unitOf(id, 1, [1]));
  expect(await ledger.seal(id)).toBe('completed');
  expect((await ledger.get(id))!.done).toBe(2);
});
