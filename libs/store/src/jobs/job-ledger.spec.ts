import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { type EmbeddedText, Keys, SLICE_ROWS } from '#contracts';
import { type RedisServer, startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from '../connect-redis.js';
import { FinishedJobs } from './finished-jobs.js';
import { type Acknowledgement, JobStore } from './job-ledger.js';
import { decodeRow, encodeRow } from '../row-codec.js';

const DIMENSIONS = 3;
const keys = new Keys('test');

let server: RedisServer;
let redis: Redis;
let store: JobStore;

beforeAll(async () => {
  server = await startRedis({ aof: true });
  redis = connectRedis(server.url, 'worker', 'test');
  store = new JobStore(redis, keys, { ttlSeconds: 60 });
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function text(position: number): EmbeddedText {
  return {
    ok: true,
    vector: Float32Array.of(position, -position, 0.5),
    tokens: position + 1,
    truncated: position % 7 === 0,
  };
}

function unit(jobId: string, number: number, positions: readonly number[], cached = false): Acknowledgement {
  const rows = positions.map((position) => ({ position, row: encodeRow(text(position)) }));
  return { jobId, unit: number, cached, rowDimensions: DIMENSIONS, rows, errors: [] };
}

async function newJob(texts: number, model = 'm'): Promise<string> {
  const id = `job_${randomUUID()}`;
  await store.create({
    id,
    model,
    spec: { fingerprint: 'f'.repeat(64), prompt: 'query: ', truncate: 'end' },
    rowDimensions: DIMENSIONS,
    output: { dimensions: null, normalize: true },
    lane: 'bulk',
    tenant: '',
    keyId: null,
  });
  await store.accept(id, texts, 2);
  return id;
}

it('keeps what a job was created with', async () => {
  const id = await newJob(5);
  expect(await store.get(id)).toMatchObject({
    id,
    state: 'receiving',
    model: 'm',
    spec: { prompt: 'query: ' },
    output: { dimensions: null, normalize: true },
    texts: 5,
    units: 2,
    done: 0,
    startedAt: null,
    error: null,
  });
  expect(await store.get('job_none')).toBeNull();
});

it('counts each unit once, however often and in whatever order the tasks run', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
      fc.nat({ max: 6 }),
      async (sizes, repeats, sealAt) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const id = await newJob(total);
        let from = 0;
        const units = sizes.map((size, n) => {
          const positions = Array.from({ length: size }, (_, i) => from + i);
          from += size;
          return unit(id, n, positions, n % 3 === 0);
        });
        const runs = [...repeats.map((n) => units[n % units.length]!), ...units, ...units];
        const seal = Math.min(sealAt, runs.length);
        await Promise.all(runs.slice(0, seal).map((one) => store.acknowledge(one)));
        await store.seal(id);
        await Promise.all(runs.slice(seal).map((one) => store.acknowledge(one)));

        const job = (await store.get(id))!;
        const positions = Array.from({ length: total }, (_, i) => i);
        expect(job).toMatchObject({
          state: 'completed',
          texts: total,
          done: total,
          failed: 0,
          tokens: positions.reduce((sum, position) => sum + position + 1, 0),
          truncated: positions.filter((position) => position % 7 === 0).length,
          cached: sizes.filter((_, n) => n % 3 === 0).reduce((sum, size) => sum + size, 0),
        });
        const { rows, errors } = await store.rawRows(job, 0, total);
        expect(errors.size).toBe(0);
        rows.forEach((row, position) => expect(decodeRow(row!, DIMENSIONS)).toEqual(text(position)));
      },
    ),
    { numRuns: 25 },
  );
});

it('places rows wherever they stand in the job, the same row at several positions too', async () => {
  const id = await newJob(3 * SLICE_ROWS);
  const row = encodeRow(text(4));
  const positions = [2 * SLICE_ROWS + 1, 0, SLICE_ROWS, SLICE_ROWS - 1];
  await store.acknowledge({ ...unit(id, 0, []), rows: positions.map((position) => ({ position, row })) });
  const job = (await store.get(id))!;
  const { rows } = await store.rawRows(job, 0, 3 * SLICE_ROWS);
  const there = rows.flatMap((found, position) => (found === null ? [] : [position]));
  expect(there).toEqual([...positions].sort((a, b) => a - b));
  for (const position of positions) expect(rows[position]).toEqual(row);
  expect((await store.rawRows(job, SLICE_ROWS - 1, 2)).rows).toEqual([row, row]);
});

it('keeps errors beside the rows and completes all the same', async () => {
  const id = await newJob(3);
  const error = { code: 'inference_failed', message: 'no' } as const;
  await store.acknowledge({ ...unit(id, 0, [0, 2]), errors: [{ position: 1, error }] });
  expect(await store.seal(id)).toBe('completed');
  const job = (await store.get(id))!;
  expect(job).toMatchObject({ done: 2, failed: 1, state: 'completed' });
  const { rows, errors } = await store.rawRows(job, 0, 3);
  expect(rows.map((row) => row !== null)).toEqual([true, false, true]);
  expect([...errors]).toEqual([[1, error]]);
});

it('counts texts and errors of concurrent workers exactly, and is finished once', async () => {
  const subscriber = connectRedis(server.url, 'subscriber', 'test');
  const finished: string[] = [];
  subscriber.on('message', (_: string, id: string) => finished.push(id));
  await subscriber.subscribe(keys.finishedJobs());
  const error = { code: 'inference_failed', message: 'no' } as const;
  const ids: string[] = [];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.boolean()),
      async (units, twice) => {
        const total = units.flat().length;
        const id = await newJob(total);
        ids.push(id);
        let at = 0;
        const acks = units.flatMap((outcomes, n) => {
          const first = at;
          at += outcomes.length;
          const places = outcomes.map((ok, i) => ({ ok, position: first + i }));
          const ack: Acknowledgement = {
            ...unit(
              id,
              n,
              places.filter(({ ok }) => ok).map(({ position }) => position),
            ),
            errors: places.filter(({ ok }) => !ok).map(({ position }) => ({ position, error })),
          };
          return twice.next().value ? [ack, ack] : [ack];
        });
        const [, ...results] = await Promise.all([store.seal(id), ...acks.map((ack) => store.acknowledge(ack))]);
        expect(results.filter(({ counted }) => counted)).toHaveLength(units.length);
        const failed = units.flat().filter((ok) => !ok).length;
        const job = (await store.get(id))!;
        expect(job).toMatchObject({ state: 'completed', done: total - failed, failed });
        const { rows, errors } = await store.rawRows(job, 0, total);
        expect(rows.map((row) => row !== null)).toEqual(units.flat());
        expect(errors.size).toBe(failed);
      },
    ),
    { numRuns: 25 },
  );
  await subscriber.ping();
  expect(finished).toEqual(ids);
  subscriber.disconnect();
});

it('is either cancelled or completed when both happen at once, and tells it once', async () => {
  const subscriber = connectRedis(server.url, 'subscriber', 'test');
  const finished: string[] = [];
  subscriber.on('message', (_: string, id: string) => finished.push(id));
  await subscriber.subscribe(keys.finishedJobs());
  // Two connections, so that the server decides who comes first.
  const other = connectRedis(server.url, 'worker', 'test');
  const canceller = new JobStore(other, keys, { ttlSeconds: 60 });
  for (let n = 0; n < 40; n++) {
    const id = await newJob(2);
    await store.seal(id);
    await store.acknowledge(unit(id, 0, [0]));
    const acknowledge = () => store.acknowledge(unit(id, 1, [1]));
    const [ack, state] =
      n % 2 === 0
        ? await Promise.all([acknowledge(), canceller.cancel(id)])
        : await Promise.all([canceller.cancel(id), acknowledge()]).then(([a, b]) => [b, a] as const);
    expect(ack).toEqual({ counted: state === 'completed', state });
    const job = (await store.get(id))!;
    expect(job).toMatchObject({ state, done: ack.counted ? 2 : 1 });
    const { rows } = await store.rawRows(job, 0, 2);
    expect(rows[1] !== null).toBe(ack.counted);
    expect(await redis.zscore(keys.activeJobs(), id)).toBeNull();
    await subscriber.ping();
    expect(finished.splice(0)).toEqual([id]);
  }
  other.disconnect();
  subscriber.disconnect();
});

it('keeps the slices of a long job as long as the job', async () => {
  const id = await newJob(SLICE_ROWS + 1);
  const slice = keys.jobSlice(id, 0);
  const left = () => redis.pttl(slice);
  await store.acknowledge(unit(id, 0, [0]));
  await redis.pexpire(slice, 5000);
  expect(await store.acknowledge(unit(id, 1, [1]))).toMatchObject({ counted: true });
  expect(await left()).toBeGreaterThan(50_000);

  // A third of its time to live after the last renewal, whatever slice is written meanwhile.
  await redis.pexpire(slice, 5000);
  await store.acknowledge(unit(id, 2, [SLICE_ROWS]));
  expect(await left()).toBeLessThanOrEqual(5000);
  await redis.hset(keys.job(id), 'keptAt', Date.now() - 20_000);
  await store.accept(id, 0);
  expect(await left()).toBeGreaterThan(50_000);

  await redis.pexpire(slice, 5000);
  await redis.hset(keys.job(id), 'keptAt', Date.now() - 20_000);
  await store.acknowledge({ ...unit(id, 3, []), errors: [] });
  expect(await left()).toBeGreaterThan(50_000);

  for (const key of [slice, keys.jobAcks(id)]) await redis.pexpire(key, 5000);
  await store.cancel(id);
  expect(await left()).toBeGreaterThan(50_000);
  expect(await redis.pttl(keys.jobAcks(id))).toBeGreaterThan(50_000);
});

it('forgets expired jobs while new ones come, though nobody lists them', async () => {
  const prefix = new Keys(`test-${randomUUID()}`);
  const brief = new JobStore(redis, prefix, { ttlSeconds: 60 });
  const long = Date.now() - 61_000;
  for (let n = 0; n < 6; n++) await redis.zadd(prefix.jobs(), long + n, `job_expired${n}`);
  for (let n = 0; n < 2; n++) {
    await brief.create({
      id: `job_${n}`,
      model: 'm',
      spec: { fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' },
      rowDimensions: DIMENSIONS,
      output: { dimensions: null, normalize: true },
      lane: 'bulk',
      tenant: '',
      keyId: null,
    });
  }
  expect(await redis.zrange(prefix.jobs(), '0', '-1')).toEqual(['job_0', 'job_1']);
});

it('goes from queued to running to completed and tells who waits, once', async () => {
  const subscriber = connectRedis(server.url, 'subscriber', 'test');
  const finished = new FinishedJobs(subscriber, keys);
  await subscriber.ping();
  const id = await newJob(2);
  expect(await store.seal(id)).toBe('queued');
  await store.acknowledge(unit(id, 0, [0]));
  expect(await store.get(id)).toMatchObject({ state: 'running', startedAt: expect.any(Number), finishedAt: null });
  const news = finished.wait(id, { timeoutMs: 30_000 });
  expect(await store.acknowledge(unit(id, 1, [1]))).toEqual({ counted: true, state: 'completed' });
  await news;
  expect(await store.acknowledge(unit(id, 1, [1]))).toEqual({ counted: false, state: 'completed' });
  subscriber.disconnect();
});

it('takes nothing more once cancelled, and counts only unfinished jobs as active', async () => {
  const model = `m-${randomUUID()}`;
  const active = async () => (await store.activeTexts()).find((sum) => sum.model === model);
  const id = await newJob(10, model);
  await store.acknowledge(unit(id, 0, [0, 1, 2]));
  expect(await active()).toMatchObject({ lane: 'bulk', jobs: 1, texts: 7 });
  expect(await store.cancel(id)).toBe('cancelled');
  expect(await store.acknowledge(unit(id, 1, [3]))).toEqual({ counted: false, state: 'cancelled' });
  expect(await store.accept(id, 5)).toBe('cancelled');
  expect(await store.seal(id)).toBe('cancelled');
  expect(await store.fail(id, { code: 'x', message: 'y' })).toBe('cancelled');
  expect(await store.get(id)).toMatchObject({ state: 'cancelled', texts: 10, done: 3, error: null });
  expect(await active()).toBeUndefined();
});

it('finds out an upload whose API process died', async () => {
  const id = await newJob(4);
  await redis.hset(keys.job(id), 'heardAt', Date.now() - 61_000);
  expect(await store.get(id)).toMatchObject({ state: 'failed', error: { code: 'upload_aborted' } });
});

it('lists jobs newest first, page by page, filtered, without the expired', async () => {
  const model = `m-${randomUUID()}`;
  const ids: string[] = [];
  for (let n = 0; n < 7; n++) ids.push(await newJob(1, model));
  await store.cancel(ids[3]!);
  await redis.del(keys.job(ids[5]!));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({ limit: 2, model, state: 'receiving', ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.jobs.map((job) => job.id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect([...seen].sort()).toEqual(ids.filter((_, n) => n !== 3 && n !== 5).sort());
  const times = await Promise.all(seen.map(async (id) => (await store.get(id))!.createdAt));
  expect(times).toEqual([...times].sort((a, b) => b - a));
});

it('still knows everything after the server was stopped and started again', async () => {
  const id = await newJob(2);
  await store.acknowledge(unit(id, 0, [0]));
  // Not killed: with `everysec`, as the product has it, a kill may take acknowledged writes with it while the disk is slow.
  await server.halt();
  const pending = store.acknowledge(unit(id, 0, [0]));
  await server.start();
  expect((await pending).counted).toBe(false);
  await store.acknowledge(unit(id, 1, [1]));
  expect(await store.seal(id)).toBe('completed');
  expect((await store.get(id))!.done).toBe(2);
});
