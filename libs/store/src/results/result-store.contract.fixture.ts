import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { encodeRow, Keys, type Row, type RowBytes, rowsOfFloats, SLICE_ROWS } from '#contracts';
import { type RedisServer, startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { openJob, openLedger, unitOf, upTo } from '../jobs/ledger.fixture.js';
import type { Acknowledgement, JobLedger } from '../jobs/job-ledger.js';
import { connectRedis, type RedisClient } from '../redis/client.js';
import type { JobRef, ResultStore } from './result-store.js';

/** Rows of a kind, and one for each position, like no other one's. */
interface RowKind {
  readonly rowBytes: RowBytes;
  readonly rowAt: (position: number) => Row;
}

const KINDS: readonly (readonly [string, RowKind])[] = [
  [
    'rows of one length',
    {
      rowBytes: rowsOfFloats(3),
      rowAt: (n) => encodeRow(Float32Array.of(n, -n, 0.5), n + 1, n % 7 === 0),
    },
  ],
  [
    'rows of different lengths',
    {
      rowBytes: { least: 4, most: 404 },
      rowAt: (n) => encodeRow(new Uint8Array((n * 37) % 401).fill(n), n + 1, n % 7 === 0),
    },
  ],
];

/**
 * What every result store promises, proven through the ledger, as jobs use it.
 * @param create a store for the jobs of this Redis and these keys
 */
export function itKeepsResults(name: string, create: (redis: RedisClient, keys: Keys) => ResultStore): void {
  describe.each(KINDS)(`${name} keeps %s`, (_, { rowBytes, rowAt }) => {
    const keys = new Keys('test');
    let server: RedisServer;
    let redis: RedisClient;
    let results: ResultStore;
    let ledger: JobLedger;

    beforeAll(async () => {
      server = await startRedis();
      redis = connectRedis(server.url, 'worker', 'test');
      ({ results, ledger } = openLedger(redis, keys, create(redis, keys)));
    });
    afterAll(async () => {
      redis.disconnect();
      await server.stop();
    });

    async function newJob(texts: number): Promise<JobRef> {
      const id = await openJob(ledger, texts, { id: `job_${randomUUID()}`, rowBytes });
      return { id, rowBytes };
    }
    function unit(job: JobRef, number: number, positions: readonly number[]): Acknowledgement {
      const rows = positions.map((position) => ({ position, row: rowAt(position) }));
      return unitOf(job.id, number, [], { rowBytes, rows });
    }
    const expected = (there: ReadonlySet<number>, from: number, count: number) =>
      upTo(count).map((n) => (there.has(from + n) ? rowAt(from + n) : null));

    it('and gives them back at their positions, in any range, whatever order they came in', async () => {
      const size = 4 * SLICE_ROWS;
      const range = fc.tuple(fc.nat({ max: size }), fc.nat({ max: size + 10 }));
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uniqueArray(fc.nat({ max: size - 1 }), { maxLength: 80 }), { minLength: 1, maxLength: 5 }),
          fc.array(range, { minLength: 1, maxLength: 4 }),
          async (drawn, ranges) => {
            const job = await newJob(size);
            const there = new Set<number>();
            const units = drawn.map((positions) => positions.filter((at) => !there.has(at) && there.add(at)));
            // Workers run side by side, and some tasks run twice.
            const runs = [...units.keys(), ...units.keys()].map((n) => unit(job, n, units[n]!));
            await Promise.all(runs.map((one) => ledger.acknowledge(one)));
            for (const [from, count] of ranges) {
              expect(await results.read(job, from, count)).toEqual(expected(there, from, count));
            }
            const positions = upTo(size);
            expect(await results.written(job, positions)).toEqual(positions.map((at) => there.has(at)));
          },
        ),
        { numRuns: 20 },
      );
    });

    it('and the same row at several positions', async () => {
      const job = await newJob(3 * SLICE_ROWS);
      const row = rowAt(4);
      const positions = [2 * SLICE_ROWS + 1, 0, SLICE_ROWS, SLICE_ROWS - 1];
      const rows = positions.map((position) => ({ position, row }));
      await ledger.acknowledge({ ...unit(job, 0, []), rows });
      const found = await results.read(job, 0, 3 * SLICE_ROWS);
      expect(found.flatMap((one, position) => (one === null ? [] : [position]))).toEqual(
        positions.toSorted((a, b) => a - b),
      );
      for (const position of positions) expect(found[position]).toEqual(row);
      expect(await results.read(job, SLICE_ROWS - 1, 2)).toEqual([row, row]);
    });

    it('and says of any positions, in any order, which are written', async () => {
      const job = await newJob(2 * SLICE_ROWS);
      await ledger.acknowledge(unit(job, 0, [1, SLICE_ROWS, SLICE_ROWS + 2]));
      const asked = [SLICE_ROWS + 2, 0, 1, SLICE_ROWS - 1, SLICE_ROWS, 9 * SLICE_ROWS, 1];
      expect(await results.written(job, asked)).toEqual([true, false, true, false, true, false, true]);
      expect(await results.written(job, [])).toEqual([]);
    });

    it('and takes rows again that are there already', async () => {
      const job = await newJob(SLICE_ROWS);
      const positions = [0, 1, 5];
      await ledger.acknowledge(unit(job, 0, positions));
      // As a worker does that did not hear that its task was counted, and one that took the task as well.
      for (const number of [0, 1]) {
        await results.stage(job, unit(job, number, positions).rows);
        await ledger.acknowledge(unit(job, number, positions));
      }
      expect(await results.read(job, 0, 7)).toEqual(expected(new Set(positions), 0, 7));
    });

    it('and each job its own', async () => {
      const [one, other] = [await newJob(4), await newJob(4)];
      await ledger.acknowledge(unit(one, 0, [0, 1]));
      await ledger.acknowledge(unit(other, 0, [2]));
      expect(await results.read(one, 0, 4)).toEqual([rowAt(0), rowAt(1), null, null]);
      expect(await results.read(other, 0, 4)).toEqual([null, null, rowAt(2), null]);
    });

    it('and nothing where a job has no rows, or is not there', async () => {
      const job = await newJob(4);
      await ledger.acknowledge(unit(job, 0, []));
      expect(await results.read(job, 0, 4)).toEqual([null, null, null, null]);
      expect(await results.read(job, 2, 0)).toEqual([]);
      expect(await results.read({ id: 'job_none', rowBytes }, 0, 2)).toEqual([null, null]);
      expect(await results.written({ id: 'job_none', rowBytes }, [0])).toEqual([false]);
    });

    it('and as long as they were last renewed for', async () => {
      const texts = 2 * SLICE_ROWS + 1;
      const [kept, dropped] = [await newJob(texts), await newJob(texts)];
      const there = [0, SLICE_ROWS, 2 * SLICE_ROWS];
      for (const job of [kept, dropped]) {
        await ledger.acknowledge(unit(job, 0, there));
        await results.renew(job, texts, 200);
      }
      await results.renew(kept, texts, 60_000);
      await until('the others are gone', async () => !(await results.written(dropped, there)).includes(true));
      expect(await results.written(kept, there)).toEqual([true, true, true]);
      expect(await results.read(dropped, 0, texts)).toEqual(expected(new Set(), 0, texts));
    });
  });
}
