import { randomUUID } from 'node:crypto';
import { jobTaskId, Keys, type Lane, rowsOfFloats, TASK_FORMAT, type WorkerRecord } from '#contracts';
import { connectRedis } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { modelCard } from '../planning/model-card.fixture.js';
import { activeJobs, backlogSeconds, tasksOf } from './fleet.js';
import { fleetOver } from './fleet.fixture.js';
import { workerRecord } from './worker-record.fixture.js';

const ALIVE_MS = 60_000;
const VERSIONS = { old: '0'.repeat(64), now: '1'.repeat(64) };
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const keys = new Keys('test');
const closers: (() => Promise<void>)[] = [];

beforeEach(() => redis.flushall());
afterAll(async () => {
  for (const close of closers) await close();
  redis.disconnect();
  await server.stop();
});

/** A deployment of the models `m`, announced in version `now`, and `silent`, which no worker ever announced. */
async function deployment(workers: readonly Partial<WorkerRecord>[] = []) {
  const parts = fleetOver(redis, keys, ['m', 'silent']);
  closers.push(parts.close);
  await parts.registry.announce(modelCard({ fingerprint: VERSIONS.now }), {});
  for (const worker of workers) {
    const record = workerRecord({ id: randomUUID(), models: { m: VERSIONS.now }, ...worker });
    await parts.workers.heartbeat(record, ALIVE_MS);
  }
  const status = async (name: string) => (await parts.fleet.read()).models.find((model) => model.name === name)!;
  return { ...parts, status };
}

/** A job whose texts are one task each. */
async function job({ jobs, producer }: Awaited<ReturnType<typeof deployment>>, lane: Lane, texts: number) {
  const id = randomUUID();
  const spec = { operation: 'embed', fingerprint: VERSIONS.now, prompt: '', truncate: 'end' } as const;
  const output = { dimensions: null, normalize: true };
  await jobs.create({ id, model: 'm', spec, rowBytes: rowsOfFloats(4), output, lane, tenant: '', keyId: null });
  await jobs.accept(id, texts, texts);
  await producer.enqueue(
    Array.from({ length: texts }, (_, unit) => ({
      id: jobTaskId(id, unit),
      lane,
      task: {
        v: TASK_FORMAT,
        kind: 'job' as const,
        model: 'm',
        spec,
        inputs: [`text ${unit}`],
        acceptedAt: Date.now(),
        jobId: id,
        unit,
        positions: [[unit]],
      },
    })),
  );
}

describe('workers that are ready', () => {
  it('are those in that state, of the version that is announced', async () => {
    const { fleet } = await deployment([
      { host: 'first' },
      { host: 'second', models: { m: VERSIONS.now, another: VERSIONS.old } },
      { host: 'old version', models: { m: VERSIONS.old } },
      { host: 'starting', state: 'starting' },
      { host: 'draining', state: 'draining' },
      { host: 'unfit', state: 'unfit', reason: 'its vectors are wrong' },
      { host: 'of another model', models: { another: VERSIONS.now } },
    ]);
    expect(await fleet.readyWorkers('m')).toBe(2);
    const [m, silent] = await fleet.workers();
    expect(m!.ready.map(({ host }) => host).sort()).toEqual(['first', 'second']);
    expect(m!.all.map(({ host }) => host).sort()).toEqual([
      ...['draining', 'first', 'old version', 'second', 'starting', 'unfit'],
    ]);
    expect(m!.card).toMatchObject({ fingerprint: VERSIONS.now });
    expect(silent).toEqual({ name: 'silent', card: null, all: [], ready: [] });
    expect(await fleet.readyWorkers('silent')).toBe(0);
    expect(await fleet.readyWorkers('not served')).toBe(0);
    expect((await fleet.read()).workers).toHaveLength(7);
  });

  it('are none while nobody announced the model, whatever a worker says it serves', async () => {
    const { fleet } = await deployment([{ models: { silent: VERSIONS.now } }]);
    expect(await fleet.readyWorkers('silent')).toBe(0);
  });

  it('are the only ones whose rates count', async () => {
    const { fleet, status } = await deployment([
      { textsPerSecond: 3, tokensPerSecond: 30, fill: 0.5 },
      { textsPerSecond: 4, tokensPerSecond: 50, fill: 1 },
      { textsPerSecond: 0, tokensPerSecond: 0, fill: null },
      { textsPerSecond: 100, tokensPerSecond: 1000, fill: 0.1, models: { m: VERSIONS.old } },
      { textsPerSecond: 100, tokensPerSecond: 1000, fill: 0.1, state: 'draining' },
    ]);
    expect(await status('m')).toMatchObject({
      readyWorkers: 3,
      textsPerSecond: 7,
      tokensPerSecond: 80,
      fill: 0.75,
    });
    expect(await status('silent')).toMatchObject({ readyWorkers: 0, textsPerSecond: 0, fill: null });
    expect(await fleet.textsPerSecond('m')).toBe(7);
    expect(await fleet.textsPerSecond('silent')).toBe(0);
  });
});

describe('what waits', () => {
  it('is counted by lane: tasks, jobs, their texts, and the texts of those who wait here', async () => {
    const parts = await deployment([{ textsPerSecond: 2 }]);
    await job(parts, 'bulk', 3);
    await job(parts, 'bulk', 2);
    await job(parts, 'interactive', 1);
    const leave = parts.admission.enter('m', null, 4);
    const { backlogSeconds: backlog, lanes } = await parts.status('m');
    expect(lanes.bulk).toMatchObject({ waiting: 5, active: 0, delayed: 0, jobs: 2, jobTexts: 5, texts: 5 });
    expect(lanes.interactive).toMatchObject({ waiting: 1, jobs: 1, jobTexts: 1, texts: 5, paused: false });
    expect(tasksOf(lanes.bulk)).toBe(5);
    expect(lanes.bulk.oldestAgeMs).toBeGreaterThanOrEqual(0);
    expect(activeJobs(await parts.fleet.read())).toBe(3);
    expect(backlog).toBe(5);
    expect((await parts.status('silent')).lanes.bulk).toMatchObject({
      waiting: 0,
      jobs: 0,
      texts: 0,
      oldestAgeMs: null,
    });
    leave(false);
    expect((await parts.status('m')).lanes.interactive.texts).toBe(1);
  });

  it('is a backlog of the greatest rate seen while nothing is computed, and of none before', async () => {
    const parts = await deployment();
    await job(parts, 'bulk', 10);
    expect((await parts.status('m')).backlogSeconds).toBeNull();
    const heartbeat = (textsPerSecond: number) =>
      parts.workers.heartbeat(workerRecord({ models: { m: VERSIONS.now }, textsPerSecond }), ALIVE_MS);
    await heartbeat(5);
    expect((await parts.status('m')).backlogSeconds).toBe(2);
    await heartbeat(1);
    expect((await parts.status('m')).backlogSeconds).toBe(10);
    await heartbeat(0);
    expect((await parts.status('m')).backlogSeconds).toBe(2);
    expect([backlogSeconds(0, 0), backlogSeconds(1, 0), backlogSeconds(3, 2)]).toEqual([0, null, 1.5]);
  });
});

it('lanes that an operator has paused are named until they are resumed', async () => {
  const { control, fleet, status } = await deployment();
  expect(await fleet.pausedLanes()).toEqual([]);
  await control.pause('m', 'bulk');
  await control.pause('silent', 'interactive');
  expect(await fleet.pausedLanes()).toEqual(['m/bulk', 'silent/interactive']);
  expect((await status('m')).lanes).toMatchObject({ bulk: { paused: true }, interactive: { paused: false } });
  await control.resume('m', 'bulk');
  expect(await fleet.pausedLanes()).toEqual(['silent/interactive']);
});

it('callers at the same time share one look', async () => {
  const { fleet } = await deployment();
  const first = fleet.read();
  expect(fleet.read()).toBe(first);
  await first;
  const next = fleet.read();
  expect(next).not.toBe(first);
  await next;
});
