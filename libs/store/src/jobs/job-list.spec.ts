import { randomUUID } from 'node:crypto';
import { Keys } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from '../redis/client.js';
import type { JobFilter } from './job-list.js';
import { openJob, openLedger, unitOf } from './ledger.fixture.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const { ledger, list } = openLedger(redis, keys);
let model: string;

beforeEach(() => {
  model = `m-${randomUUID()}`;
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Ids of all pages. */
async function pages(filter: Omit<JobFilter, 'cursor'>): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await list.page({ ...filter, cursor });
    expect(page.jobs.length).toBeLessThanOrEqual(filter.limit);
    ids.push(...page.jobs.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return ids;
}

it('lists jobs newest first, page by page, filtered, without the expired', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 7; n++) ids.push(await openJob(ledger, 1, { model }));
  await ledger.cancel(ids[3]!);
  await redis.del(keys.job(ids[5]!));
  const seen = await pages({ limit: 2, model, state: 'receiving' });
  expect([...seen].sort()).toEqual(ids.filter((_, n) => n !== 3 && n !== 5).sort());
  const times = await Promise.all(seen.map(async (id) => (await ledger.get(id))!.createdAt));
  expect(times).toEqual([...times].sort((a, b) => b - a));
  expect(await redis.zscore(keys.jobs(), ids[5]!)).toBeNull();
});

it('finds jobs by tenant, by key and by a part of their id', async () => {
  const mine = await openJob(ledger, 1, { model, tenant: 'a', keyId: 'k1' });
  const ours = await openJob(ledger, 1, { model, tenant: 'a', keyId: 'k2' });
  const theirs = await openJob(ledger, 1, { model, tenant: 'b', keyId: 'k3' });
  expect((await pages({ limit: 9, tenant: 'a', model })).sort()).toEqual([mine, ours].sort());
  expect(await pages({ limit: 9, keyId: 'k1', model })).toEqual([mine]);
  expect(await pages({ limit: 9, idPart: theirs.slice(6, 20), model })).toEqual([theirs]);
  expect(await pages({ limit: 9, tenant: 'b', keyId: 'k1' })).toEqual([]);
});

it('sums up what is unfinished, by model, lane and key', async () => {
  const active = async () => (await list.activeTexts()).filter((sum) => sum.model === model);
  const id = await openJob(ledger, 10, { model, keyId: 'k' });
  await ledger.acknowledge(unitOf(id, 0, [0, 1, 2]));
  await openJob(ledger, 5, { model });
  await openJob(ledger, 2, { model, lane: 'interactive' });
  expect((await active()).sort((a, b) => a.lane.localeCompare(b.lane))).toEqual([
    {
      model,
      lane: 'bulk',
      jobs: 2,
      texts: 12,
      byKey: new Map([
        ['k', 7],
        ['', 5],
      ]),
    },
    { model, lane: 'interactive', jobs: 1, texts: 2, byKey: new Map([['', 2]]) },
  ]);
});

it('counts only unfinished jobs as active, also when a final one was left among them', async () => {
  const active = async () => (await list.activeTexts()).find((sum) => sum.model === model);
  const id = await openJob(ledger, 10, { model });
  expect(await active()).toMatchObject({ jobs: 1, texts: 10 });
  await ledger.cancel(id);
  expect(await active()).toBeUndefined();
  // A process that died between the script and what follows it.
  await redis.zadd(keys.activeJobs(), 1, id);
  await redis.zadd(keys.activeJobs(), 1, 'job_expired');
  expect(await active()).toBeUndefined();
  expect(await redis.zscore(keys.activeJobs(), id)).toBeNull();
  expect(await redis.zscore(keys.activeJobs(), 'job_expired')).toBeNull();
});
