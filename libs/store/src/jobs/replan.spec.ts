import { Keys, rowsOfFloats, type Spec } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from '../redis/client.js';
import { openJob, openLedger, ROW_BYTES, rowAt, SPEC, unitOf } from './ledger.fixture.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
// Another connection, so that the server decides who comes first.
const other = connectRedis(server.url, 'worker', 'test');
const { ledger, results } = openLedger(redis, keys);

afterAll(async () => {
  for (const connection of [redis, other]) connection.disconnect();
  await server.stop();
});

const NEW: Spec = { ...SPEC, fingerprint: 'e'.repeat(64) };
const NEW_ROWS = rowsOfFloats(4);
const ERROR = { code: 'inference_failed', message: 'no' } as const;

const replan = (id: string) => ledger.replan(id, NEW, NEW_ROWS);
const specOf = async (id: string) => {
  const { spec, rowBytes } = (await ledger.get(id))!;
  return { spec, rowBytes };
};

it('gives a job without rows another version of its model, however often', async () => {
  const id = await openJob(ledger, 4);
  expect(await replan(id)).toBe('replanned');
  expect(await specOf(id)).toEqual({ spec: NEW, rowBytes: NEW_ROWS });
  expect(await replan(id)).toBe('replanned');
  expect(await Promise.all([replan(id), replan(id)])).toEqual(['replanned', 'replanned']);
  expect(await specOf(id)).toEqual({ spec: NEW, rowBytes: NEW_ROWS });
});

it('takes errors for no rows: they are of no version', async () => {
  const id = await openJob(ledger, 4);
  await ledger.acknowledge(unitOf(id, 0, [], { errors: [{ position: 0, error: ERROR }] }));
  expect(await replan(id)).toBe('replanned');
});

it('leaves a job that has rows of the old version as it is', async () => {
  const id = await openJob(ledger, 4);
  await ledger.acknowledge(unitOf(id, 0, [2]));
  expect(await replan(id)).toBe('begun');
  expect(await specOf(id)).toEqual({ spec: SPEC, rowBytes: ROW_BYTES });
});

it('goes on to a third version, and back, while there are no rows', async () => {
  const id = await openJob(ledger, 4);
  const third: Spec = { ...SPEC, fingerprint: 'd'.repeat(64) };
  expect(await ledger.replan(id, third, NEW_ROWS)).toBe('replanned');
  expect(await replan(id)).toBe('replanned');
  expect((await specOf(id)).spec).toEqual(NEW);
  expect(await ledger.replan(id, SPEC, ROW_BYTES)).toBe('replanned');
  expect(await ledger.acknowledge(unitOf(id, 0, [0]))).toMatchObject({ counted: 'now' });
  expect(await replan(id)).toBe('begun');
});

it('is told apart by its state and version', async () => {
  const id = await openJob(ledger, 4);
  expect(await ledger.standing(id)).toEqual({ state: 'receiving', fingerprint: SPEC.fingerprint });
  await replan(id);
  expect(await ledger.standing(id)).toEqual({ state: 'receiving', fingerprint: NEW.fingerprint });
  expect(await ledger.standing('job_none')).toBeNull();
});

it('says that it is over with a job that is final or not there', async () => {
  const id = await openJob(ledger, 4);
  await ledger.cancel(id);
  expect(await replan(id)).toBe('over');
  expect((await specOf(id)).spec).toEqual(SPEC);
  expect(await replan('job_none')).toBe('over');
  expect(await redis.exists(keys.job('job_none'))).toBe(0);
});

it('writes and counts nothing of rows of another version than the job has', async () => {
  const id = await openJob(ledger, 4);
  await replan(id);
  await ledger.seal(id);
  const state = await ledger.state(id);
  const late = unitOf(id, 0, [0, 1], { errors: [{ position: 2, error: ERROR }] });
  expect(await ledger.acknowledge(late)).toEqual({ counted: 'other-version', state });
  const job = (await ledger.get(id))!;
  expect(job).toMatchObject({ done: 0, failed: 0, state });
  expect(await redis.exists(keys.jobSlice(id, 0))).toBe(0);
  expect((await ledger.errors(id, [2])).size).toBe(0);
  expect(await ledger.acknowledged(id, 0)).toBe(false);

  // The same unit by a worker of the version that the job has now.
  const { fingerprint } = NEW;
  const row = Buffer.alloc(NEW_ROWS.most, 1);
  const rows = [0, 1].map((position) => ({ position, row }));
  const right = { ...late, fingerprint, rowBytes: NEW_ROWS, rows };
  expect(await ledger.acknowledge(right)).toEqual({ counted: 'now', state: 'running' });
  expect(await results.read(job, 0, 3)).toEqual([row, row, null]);
});

it('takes errors without rows from any version', async () => {
  const id = await openJob(ledger, 1);
  await replan(id);
  await ledger.seal(id);
  const errors = [{ position: 0, error: ERROR }];
  expect(await ledger.acknowledge(unitOf(id, 0, [], { errors }))).toEqual({ counted: 'now', state: 'completed' });
  expect([...(await ledger.errors(id, [0])).values()]).toEqual([ERROR]);
});

it('of rows of the old version and a replan at once, one comes first and the other is refused', async () => {
  const replanner = openLedger(other, keys).ledger;
  for (let n = 0; n < 40; n++) {
    const id = await openJob(ledger, 2);
    const acknowledge = () => ledger.acknowledge(unitOf(id, 0, [0]));
    const replanning = () => replanner.replan(id, NEW, NEW_ROWS);
    const [ack, replanned] =
      n % 2 === 0
        ? await Promise.all([acknowledge(), replanning()])
        : await Promise.all([replanning(), acknowledge()]).then(([a, b]) => [b, a] as const);
    expect([ack.counted, replanned]).toEqual(ack.counted === 'now' ? ['now', 'begun'] : ['other-version', 'replanned']);
  }
});

describe('a job that 0.1.0 opened, whose record names its version in the spec only', () => {
  async function openOldJob(): Promise<string> {
    const id = await openJob(ledger, 2);
    const { operation: _, ...spec } = SPEC;
    await redis.hdel(keys.job(id), 'v', 'fingerprint', 'rowBytes');
    await redis.hset(keys.job(id), { spec: JSON.stringify(spec), rowDimensions: 3 });
    await ledger.seal(id);
    return id;
  }

  it('takes rows of that version and refuses others', async () => {
    const id = await openOldJob();
    expect(await ledger.standing(id)).toMatchObject({ fingerprint: SPEC.fingerprint });
    const other = unitOf(id, 0, [0], { fingerprint: NEW.fingerprint });
    expect(await ledger.acknowledge(other)).toMatchObject({ counted: 'other-version' });
    expect(await ledger.acknowledge(unitOf(id, 0, [0]))).toMatchObject({ counted: 'now' });
    expect(await ledger.acknowledge(unitOf(id, 1, [1]))).toEqual({ counted: 'now', state: 'completed' });
    expect(await results.read((await ledger.get(id))!, 0, 2)).toEqual([rowAt(0), rowAt(1)]);
  });

  it('is given another version as well', async () => {
    const id = await openOldJob();
    expect(await replan(id)).toBe('replanned');
    expect(await specOf(id)).toEqual({ spec: NEW, rowBytes: NEW_ROWS });
    expect(await ledger.acknowledge(unitOf(id, 0, [0]))).toMatchObject({ counted: 'other-version' });
  });
});
