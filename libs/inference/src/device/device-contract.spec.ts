import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBagOfTokens, BAG_WIDTH, BAG_VOCABULARY, bagValues } from './bag-of-tokens.fixture.js';
import { BatchWithdrawnError, DeviceUnavailableError, type Device, type PackedBatch } from './device.js';
import { OnnxDevice } from './onnx-device.js';
import { pack, type PackedInput } from '../batching/pack.js';
import { SimulatedDevice, simulatedValues } from '../testing.js';

interface DeviceUnderTest {
  readonly start: () => Promise<Device>;
  readonly values: (ids: Int32Array) => Float32Array;
}

/** No device of this suite can compute a row with this id. */
const BAD_ID = BAG_VOCABULARY + 7;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-device-'));
});
afterAll(() => rm(folder, { recursive: true }));

const devices: Record<string, DeviceUnderTest> = {
  'an ONNX device': {
    start: async () =>
      OnnxDevice.start({
        model: await writeBagOfTokens(folder),
        device: { kind: 'cpu' },
        threads: 1,
        tokenBudget: 256,
        maxTokens: 64,
      }),
    values: bagValues,
  },
  'a simulated device': {
    start: () =>
      Promise.resolve(
        new SimulatedDevice({
          width: BAG_WIDTH,
          batchMs: 2,
          tokenMs: 0.01,
          fault: ({ ids }) => (ids.includes(BAD_ID) ? new Error('bad id') : undefined),
        }),
      ),
    values: (ids) => simulatedValues(ids, BAG_WIDTH),
  },
};

const row = (...ids: number[]) => ({ ids: Int32Array.from(ids), types: null });
const batch = (...rows: PackedInput[]): PackedBatch => pack(rows, 0);

describe.each(Object.entries(devices))('%s', (_, { start, values }) => {
  let device: Device;
  beforeEach(async () => {
    device = await start();
  });
  afterEach(() => device.close());

  /** Row by row what the device should have given. */
  const expectValues = (got: Float32Array, rows: PackedInput[]): void => {
    expect(got).toHaveLength(rows.length * device.width);
    for (const [index, { ids }] of rows.entries()) {
      const own = got.subarray(index * device.width, (index + 1) * device.width);
      for (const [place, expected] of values(ids).entries()) expect(own[place]).toBeCloseTo(expected, 4);
    }
  };

  it('gives every row the values of its own ids, whatever stands beside it', async () => {
    const rows = [row(1, 2, 3, 4, 5, 6, 7), row(9), row(3, 2, 1), row(9)];
    const together = await device.run(batch(...rows));
    expectValues(together.values, rows);
    expect(together.deviceMs).toBeGreaterThan(0);
    expectValues((await device.run(batch(rows[2]!))).values, [rows[2]!]);
  });

  it('takes a further batch while one is under way, and finishes them in order', async () => {
    const finished: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_none, index) => {
        const rows = [row(index + 1, index + 2), row(index + 3)];
        const result = await device.run(batch(...rows));
        finished.push(index);
        expectValues(result.values, rows);
      }),
    );
    expect(finished).toEqual(finished.toSorted((a, b) => a - b));
  });

  it('rejects a batch it cannot compute, and computes the next one', async () => {
    const bad = device.run(batch(row(1), row(BAD_ID)));
    const good = device.run(batch(row(1)));
    await expect(bad).rejects.toThrow(Error);
    expectValues((await good).values, [row(1)]);
  });

  it('gives a batch back that has not begun, and keeps the others', async () => {
    const batches = [batch(row(1)), batch(row(2)), batch(row(3)), batch(row(4))];
    const runs = batches.map((one) => device.run(one));
    expect(device.withdraw(batches[3]!)).toBe(true);
    expect(device.withdraw(batches[3]!)).toBe(false);
    await expect(runs[3]).rejects.toThrow(BatchWithdrawnError);
    for (const [index, run] of runs.slice(0, 3).entries()) expectValues((await run).values, [row(index + 1)]);
    expect(device.withdraw(batches[0]!)).toBe(false);
    expectValues((await device.run(batch(row(5)))).values, [row(5)]);
  });

  it('rejects what is under way when it is closed, and what comes later', async () => {
    const runs = [device.run(batch(row(1))), device.run(batch(row(2)))];
    const settled = Promise.allSettled(runs);
    await device.close();
    for (const run of await settled)
      expect(run).toMatchObject({ reason: expect.any(DeviceUnavailableError) as unknown });
    await expect(device.run(batch(row(1)))).rejects.toThrow(DeviceUnavailableError);
  });
});
