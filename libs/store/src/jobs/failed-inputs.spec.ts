import { randomUUID } from 'node:crypto';
import { Keys, type PlacedInput, type TextError } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from '../redis/client.js';
import { FailedInputs } from './failed-inputs.js';
import { JobInspection } from './job-inspection.js';
import { openJob, openLedger, unitOf, upTo } from './ledger.fixture.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const { ledger, list, results } = openLedger(redis, keys);
const failed = new FailedInputs(redis, keys);

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const error: TextError = { code: 'inference_failed', message: 'no' };

/** A job of one unit, some inputs of which failed, `lasting` for good; the others have rows. */
async function jobWith(texts: number, failedInputs: readonly PlacedInput[], lasting: readonly number[] = []) {
  const model = `m-${randomUUID()}`;
  const id = await openJob(ledger, texts, { model });
  await ledger.seal(id);
  const bad = [...failedInputs.flatMap(({ positions }) => positions), ...lasting];
  const good = upTo(texts).filter((n) => !bad.includes(n));
  const errors = bad.map((position) => ({ position, error }));
  await ledger.acknowledge(unitOf(id, 0, good, { errors, failedInputs }));
  return { id, model, createdAt: (await ledger.get(id))!.createdAt };
}

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const part of parts) found.push(part);
  return found;
}

const INPUTS: PlacedInput[] = [
  { input: 'it\'s "bad" \u{1f600} \u0000', positions: [1, 7] },
  { input: ['any', { form: 'of input' }], positions: [3] },
];

it('failed inputs are kept, and tried again they are unfinished until their new unit is counted', async () => {
  const job = await jobWith(10, INPUTS, [5]);
  expect(await ledger.get(job.id)).toMatchObject({ state: 'completed', done: 6, failed: 4, retriable: 3, units: 2 });
  expect((await all(failed.kept(job.id))).flat()).toEqual(expect.arrayContaining(INPUTS));

  expect(await ledger.retry(job, [1, 3, 4])).toMatchObject({ texts: 3 });
  const running = (await ledger.get(job.id))!;
  expect(running).toMatchObject({ state: 'running', failed: 1, retriable: 0, done: 6, units: 3, finishedAt: null });
  expect((await list.activeTexts()).find(({ model }) => model === job.model)).toMatchObject({ jobs: 1, texts: 3 });
  const rows = await results.read(running, 0, 10);
  expect([rows[1], rows[3], rows[7]]).toEqual([null, null, null]);
  expect([...(await ledger.errors(job.id, upTo(10))).keys()]).toEqual([5]);
  const [underWay] = await all(failed.underWay(job.id));
  expect(underWay!.unit).toBe(2);
  expect(underWay!.inputs).toEqual(INPUTS);

  const outcome = unitOf(job.id, 2, [1, 7], { errors: [{ position: 3, error }], failedInputs: [INPUTS[1]!] });
  expect(await ledger.acknowledge(outcome)).toEqual({ counted: 'now', state: 'completed' });
  expect(await ledger.acknowledge(outcome)).toEqual({ counted: 'before', state: 'completed' });
  expect(await ledger.get(job.id)).toMatchObject({ state: 'completed', done: 8, failed: 2, retriable: 1 });
  expect(await failed.unitsUnderWay(job.id)).toBe(0);
  expect((await all(failed.kept(job.id))).flat()).toEqual([INPUTS[1]]);
  expect(await redis.pttl(keys.jobFailedInputs(job.id))).toBeGreaterThan(0);
});

it('inputs that 0.1.0 kept, which it called texts, are tried again like others', async () => {
  const job = await jobWith(10, [], [1, 3, 7]);
  await redis.hset(keys.jobFailedInputs(job.id), '1', '{"positions":[1,7],"text":"it\'s \\"bad\\""}');
  await redis.hset(keys.jobFailedInputs(job.id), '3', '{"positions":[3],"text":""}');
  await redis.hset(keys.job(job.id), 'retriable', 3);
  const old: PlacedInput[] = [
    { input: 'it\'s "bad"', positions: [1, 7] },
    { input: '', positions: [3] },
  ];
  expect((await all(failed.kept(job.id))).flat()).toEqual(expect.arrayContaining(old));
  expect(await ledger.retry(job, [1, 3])).toMatchObject({ texts: 3 });
  const [underWay] = await all(failed.underWay(job.id));
  expect(underWay!.inputs).toEqual(old);
});

it('of those who try the same again at once, one does', async () => {
  const job = await jobWith(10, INPUTS);
  const took = await Promise.all(upTo(8).map(async () => (await ledger.retry(job, [1, 3]))?.texts ?? 0));
  expect(took.toSorted((a, b) => b - a)).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
  expect(await ledger.get(job.id)).toMatchObject({ state: 'running', failed: 0, units: 3 });
  expect(await failed.unitsUnderWay(job.id)).toBe(1);
});

it('a cancelled job gives nothing to try again', async () => {
  const job = await jobWith(10, INPUTS);
  await ledger.retry(job, [3]);
  await ledger.cancel(job.id);
  expect(await ledger.retry(job, [1])).toBeNull();
  expect(await ledger.get(job.id)).toMatchObject({ state: 'cancelled', failed: 2, retriable: 2 });
});

describe('a job shows', () => {
  const inspection = new JobInspection(redis, keys, results);

  it('how far it is along its input, and its first failures', async () => {
    const job = await jobWith(450, [{ input: 'a', positions: [0, 4, 449] }], [1]);
    await ledger.retry(job, [0]);
    const record = (await ledger.get(job.id))!;
    const { done, textsEach } = await inspection.bars(record);
    expect(textsEach).toBe(3);
    expect(done).toHaveLength(150);
    expect([done[0], done[1], done[2], done[149]]).toEqual([2 / 3, 2 / 3, 1, 2 / 3]);
    expect(await inspection.failures(record, 5)).toEqual({ failures: [{ position: 1, error }], hasMore: false });
    const other = await jobWith(10, [], [8, 2, 5]);
    const failures = await inspection.failures((await ledger.get(other.id))!, 2);
    expect(failures.failures.map(({ position }) => position)).toEqual([2, 5]);
    expect(failures.hasMore).toBe(true);
  });

  it('the same of rows of different lengths', async () => {
    const rowBytes = { least: 5, most: 50 };
    const id = await openJob(ledger, 4, { rowBytes });
    const rows = [0, 2].map((position) => ({ position, row: Buffer.alloc(5 + position, 1) }));
    await ledger.acknowledge(unitOf(id, 0, [], { rowBytes, rows, errors: [{ position: 3, error }] }));
    expect((await inspection.bars((await ledger.get(id))!)).done).toEqual([1, 0, 1, 1]);
  });
});
