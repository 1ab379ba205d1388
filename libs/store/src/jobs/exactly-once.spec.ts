import fc from 'fast-check';
import { Keys } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from '../redis/client.js';
import { openJob, openLedger, rowAt, tokensAt, truncatedAt, unitOf, upTo } from './ledger.fixture.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
// Another connection, so that the server decides who comes first.
const other = connectRedis(server.url, 'worker', 'test');
const { ledger, results } = openLedger(redis, keys);
const ERROR = { code: 'inference_failed', message: 'no' } as const;

/** Ids of jobs that became final, as they are told. */
const finished: string[] = [];
const subscriber = connectRedis(server.url, 'subscriber', 'test');
subscriber.on('message', (_: string, id: string) => finished.push(id));

beforeAll(() => subscriber.subscribe(keys.finishedJobs()));
beforeEach(() => {
  finished.length = 0;
});
afterAll(async () => {
  for (const connection of [redis, other, subscriber]) connection.disconnect();
  await server.stop();
});

it('counts each unit once, however often and in whatever order the tasks run', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
      fc.nat({ max: 6 }),
      async (sizes, repeats, sealAt) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const id = await openJob(ledger, total);
        let from = 0;
        const units = sizes.map((size, n) => {
          const first = from;
          from += size;
          return unitOf(
            id,
            n,
            upTo(size).map((i) => first + i),
            { cached: n % 3 === 0 },
          );
        });
        const runs = [...repeats.map((n) => units[n % units.length]!), ...units, ...units];
        const seal = Math.min(sealAt, runs.length);
        await Promise.all(runs.slice(0, seal).map((one) => ledger.acknowledge(one)));
        await ledger.seal(id);
        await Promise.all(runs.slice(seal).map((one) => ledger.acknowledge(one)));

        const job = (await ledger.get(id))!;
        const positions = upTo(total);
        expect(job).toMatchObject({
          state: 'completed',
          texts: total,
          done: total,
          failed: 0,
          tokens: positions.reduce((sum, position) => sum + tokensAt(position), 0),
          truncated: positions.filter(truncatedAt).length,
          cached: sizes.filter((_, n) => n % 3 === 0).reduce((sum, size) => sum + size, 0),
        });
        expect(await results.read(job, 0, total)).toEqual(positions.map(rowAt));
        expect((await ledger.errors(id, positions)).size).toBe(0);
      },
    ),
    { numRuns: 25 },
  );
});

it('counts texts and errors of concurrent workers exactly, and is finished once', async () => {
  const ids: string[] = [];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.boolean()),
      async (units, twice) => {
        const total = units.flat().length;
        const id = await openJob(ledger, total);
        ids.push(id);
        let at = 0;
        const acks = units.flatMap((outcomes, n) => {
          const first = at;
          at += outcomes.length;
          const placesOf = (wanted: boolean) => outcomes.flatMap((ok, i) => (ok === wanted ? [first + i] : []));
          const errors = placesOf(false).map((position) => ({ position, error: ERROR }));
          const ack = unitOf(id, n, placesOf(true), { errors });
          return twice.next().value ? [ack, ack] : [ack];
        });
        const [, ...counts] = await Promise.all([ledger.seal(id), ...acks.map((ack) => ledger.acknowledge(ack))]);
        expect(counts.filter(({ counted }) => counted === 'now')).toHaveLength(units.length);
        const failed = units.flat().filter((ok) => !ok).length;
        const job = (await ledger.get(id))!;
        expect(job).toMatchObject({ state: 'completed', done: total - failed, failed });
        expect((await results.read(job, 0, total)).map((row) => row !== null)).toEqual(units.flat());
        expect((await ledger.errors(id, upTo(total))).size).toBe(failed);
      },
    ),
    { numRuns: 25 },
  );
  await subscriber.ping();
  expect(finished).toEqual(ids);
});

it('is either cancelled or completed when both happen at once, and tells it once', async () => {
  const canceller = openLedger(other, keys).ledger;
  for (let n = 0; n < 40; n++) {
    const id = await openJob(ledger, 2);
    await ledger.seal(id);
    await ledger.acknowledge(unitOf(id, 0, [0]));
    const acknowledge = () => ledger.acknowledge(unitOf(id, 1, [1]));
    const [ack, state] =
      n % 2 === 0
        ? await Promise.all([acknowledge(), canceller.cancel(id)])
        : await Promise.all([canceller.cancel(id), acknowledge()]).then(([a, b]) => [b, a] as const);
    expect(ack).toEqual({ counted: state === 'completed' ? 'now' : 'before', state });
    const job = (await ledger.get(id))!;
    const completed = state === 'completed';
    expect(job).toMatchObject({ state, done: completed ? 2 : 1 });
    expect((await results.read(job, 1, 1))[0] !== null).toBe(completed);
    expect(await redis.zscore(keys.activeJobs(), id)).toBeNull();
    await subscriber.ping();
    expect(finished.splice(0)).toEqual([id]);
  }
});
