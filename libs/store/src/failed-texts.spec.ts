import { randomUUID } from 'node:crypto';
import { Keys, type TextError } from '#contracts';
import { startRedis } from '../../../test/support/redis.js';
import { connectRedis } from './connect-redis.js';
import { type FailedPlaces, FailedTexts } from './failed-texts.js';
import { JobInspection } from './job-inspection.js';
import { JobStore } from './job-store.js';
import { encodeRow } from './row-codec.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const store = new JobStore(redis, keys, { ttlSeconds: 60 });
const failed = new FailedTexts(redis, keys);
const inspection = new JobInspection(redis, keys);

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const error: TextError = { code: 'inference_failed', message: 'no' };
const row = encodeRow({ ok: true, vector: Float32Array.of(1, 2), tokens: 3, truncated: false });

/** A job of one unit, some texts of which failed; the others have vectors. */
async function jobWith(texts: number, failedTexts: readonly FailedPlaces[], lasting: readonly number[] = []) {
  const id = `job_${randomUUID()}`;
  const spec = { fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' } as const;
  const output = { dimensions: null, normalize: false };
  await store.create({ id, model: 'm', spec, rowDimensions: 2, output, lane: 'bulk', tenant: '', keyId: null });
  await store.accept(id, texts, 1);
  await store.seal(id);
  const bad = [...failedTexts.flatMap(({ positions }) => positions), ...lasting];
  const good = Array.from({ length: texts }, (_, n) => n).filter((n) => !bad.includes(n));
  await store.acknowledge({
    jobId: id,
    unit: 0,
    cached: false,
    rowDimensions: 2,
    rows: good.map((position) => ({ position, row })),
    errors: bad.map((position) => ({ position, error })),
    failedTexts,
  });
  return { id, createdAt: (await store.get(id))!.createdAt };
}

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const part of parts) list.push(part);
  return list;
}

const TEXTS: FailedPlaces[] = [
  { text: 'it\'s "bad" \u{1f600} \u0000', positions: [1, 7] },
  { text: 'worse', positions: [3] },
];

it('failed texts are kept, and tried again they are unfinished until their new unit is counted', async () => {
  const job = await jobWith(10, TEXTS, [5]);
  expect(await store.get(job.id)).toMatchObject({ state: 'completed', done: 6, failed: 4, retriable: 3, units: 1 });
  expect((await all(failed.kept(job.id))).flat()).toEqual(expect.arrayContaining(TEXTS));

  expect(await store.retry(job, [1, 3, 4])).toEqual({ unit: 1, texts: 3 });
  const running = (await store.get(job.id))!;
  expect(running).toMatchObject({ state: 'running', failed: 1, retriable: 0, done: 6, units: 2, finishedAt: null });
  expect((await store.activeTexts()).find(({ model }) => model === 'm')).toMatchObject({ jobs: 1, texts: 3 });
  const { rows, errors } = await store.rawRows(running, 0, 10);
  expect([rows[1], rows[3], rows[7]]).toEqual([null, null, null]);
  expect([...errors.keys()]).toEqual([5]);
  const [underWay] = await all(failed.underWay(job.id));
  expect(underWay!.unit).toBe(1);
  expect(underWay!.texts).toEqual(TEXTS);

  const outcome = {
    jobId: job.id,
    unit: 1,
    cached: false,
    rowDimensions: 2,
    rows: [1, 7].map((position) => ({ position, row })),
    errors: [{ position: 3, error }],
    failedTexts: [TEXTS[1]!],
  };
  expect(await store.acknowledge(outcome)).toEqual({ counted: true, state: 'completed' });
  expect(await store.acknowledge(outcome)).toEqual({ counted: false, state: 'completed' });
  expect(await store.get(job.id)).toMatchObject({ state: 'completed', done: 8, failed: 2, retriable: 1 });
  expect(await failed.unitsUnderWay(job.id)).toBe(0);
  expect((await all(failed.kept(job.id))).flat()).toEqual([TEXTS[1]]);
  expect(await redis.pttl(keys.jobFailedTexts(job.id))).toBeGreaterThan(0);
});

it('of those who try the same again at once, one does', async () => {
  const job = await jobWith(10, TEXTS);
  const took = await Promise.all(Array.from({ length: 8 }, () => store.retry(job, [1, 3])));
  expect(took.filter((unit) => unit !== null)).toEqual([{ unit: 1, texts: 3 }]);
  expect(await store.get(job.id)).toMatchObject({ state: 'running', failed: 0, units: 2 });
  expect(await failed.unitsUnderWay(job.id)).toBe(1);
});

it('a cancelled job gives nothing to try again', async () => {
  const job = await jobWith(10, TEXTS);
  await store.retry(job, [3]);
  await store.cancel(job.id);
  expect(await store.retry(job, [1])).toBeNull();
  expect(await store.get(job.id)).toMatchObject({ state: 'cancelled', failed: 2, retriable: 2 });
});

it('a job shows how far it is along its input, and its first failures', async () => {
  const job = await jobWith(450, [{ text: 'a', positions: [0, 4, 449] }], [1]);
  await store.retry(job, [0]);
  const record = (await store.get(job.id))!;
  const { done, textsEach } = await inspection.bars(record);
  expect(textsEach).toBe(3);
  expect(done).toHaveLength(150);
  expect([done[0], done[1], done[2], done[149]]).toEqual([2 / 3, 2 / 3, 1, 2 / 3]);
  expect(await inspection.failures(record, 5)).toEqual({ failures: [{ position: 1, error }], hasMore: false });
  const other = await jobWith(10, [], [8, 2, 5]);
  const failures = await inspection.failures((await store.get(other.id))!, 2);
  expect(failures.failures.map(({ position }) => position)).toEqual([2, 5]);
  expect(failures.hasMore).toBe(true);
});
