import { randomUUID } from 'node:crypto';
import { Keys } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from '../redis/client.js';
import { JobIndex } from './job-index.js';
import { jobOf, openLedger } from './ledger.fixture.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
let keys: Keys;

beforeEach(() => {
  keys = new Keys(`test-${randomUUID()}`);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const FIRST = { from: '+inf', after: null };

it('forgets expired jobs while new ones come, though nobody lists them', async () => {
  const { ledger } = openLedger(redis, keys);
  const long = Date.now() - 61_000;
  for (let n = 0; n < 6; n++) {
    await redis.zadd(keys.jobs(), long + n, `job_expired${n}`);
    await redis.zadd(keys.activeJobs(), long + n, `job_expired${n}`);
  }
  for (let n = 0; n < 2; n++) await ledger.create(jobOf({ id: `job_${n}` }));
  for (const list of [keys.jobs(), keys.activeJobs()]) {
    expect(await redis.zrange(list, '0', '-1')).toEqual(['job_0', 'job_1']);
  }
});

it('forgets no job that is old and still there', async () => {
  const { ledger } = openLedger(redis, keys);
  await ledger.create(jobOf({ id: 'job_old' }));
  await redis.zadd(keys.jobs(), Date.now() - 61_000, 'job_old');
  await ledger.create(jobOf({ id: 'job_new' }));
  expect(await redis.zrange(keys.jobs(), '0', '-1')).toEqual(['job_old', 'job_new']);
});

it('gives pages newest first, of all tenants or of one', async () => {
  const index = new JobIndex(redis, keys);
  for (let n = 0; n < 5; n++) await index.add(`job_${n}`, n % 2 === 0 ? 'a' : 'b', 1000 + n, 60_000);
  expect(await index.page('', FIRST, 3)).toEqual({
    ids: [
      ['job_4', 1004],
      ['job_3', 1003],
      ['job_2', 1002],
    ],
    more: true,
  });
  expect(await index.page('b', FIRST, 3)).toEqual({
    ids: [
      ['job_3', 1003],
      ['job_1', 1001],
    ],
    more: false,
  });
});

it('goes on behind a place, also among jobs of the same millisecond', async () => {
  const index = new JobIndex(redis, keys);
  for (const id of ['job_a', 'job_b', 'job_c']) await index.add(id, '', 1000, 60_000);
  await index.add('job_0', '', 999, 60_000);
  const { ids } = await index.page('', { from: '1000', after: 'job_b' }, 10);
  expect(ids).toEqual([
    ['job_a', 1000],
    ['job_0', 999],
  ]);
});

it('knows the unfinished ones, oldest first', async () => {
  const index = new JobIndex(redis, keys);
  for (const [id, at] of [
    ['job_b', 2],
    ['job_a', 1],
    ['job_c', 3],
  ] as const) {
    await index.add(id, '', at, 60_000);
  }
  await index.leaveActive(['job_a', 'job_b']);
  await index.leaveActive([]);
  await index.enterActive('job_a', 1);
  expect(await index.active()).toEqual(['job_a', 'job_c']);
  await index.forget('', ['job_c']);
  expect(await index.active()).toEqual(['job_a']);
});
