import { ANYBODY, Keys, rowsOfFloats } from '#contracts';
import { connectRedis } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { fleetOver } from '../operation/fleet.fixture.js';
import { workerRecord } from '../operation/worker-record.fixture.js';
import { modelCard } from '../planning/model-card.fixture.js';
import { BulkAdmission } from './bulk-admission.js';
import { newJobId } from './job-id.js';

const LIMIT = 100;
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const keys = new Keys('test');
const NEVER = new AbortController().signal;

let parts: ReturnType<typeof fleetOver>;

beforeEach(async () => {
  await redis.flushall();
  parts = fleetOver(redis, keys, ['m', 'other']);
});
afterEach(() => parts.close());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const newAdmission = () => new BulkAdmission(parts.list, parts.fleet, LIMIT);

async function unfinished(model: string, texts: number, keyId: string | null = null): Promise<string> {
  const { jobs } = parts;
  const id = newJobId();
  await jobs.create({
    id,
    model,
    spec: { operation: 'embed', fingerprint: 'f'.repeat(16), prompt: '', truncate: 'end' },
    rowBytes: rowsOfFloats(4),
    output: { dimensions: null, normalize: true },
    lane: 'bulk',
    tenant: '',
    keyId,
  });
  await jobs.accept(id, texts);
  return id;
}

describe('room in the queue', () => {
  it('is there below the limit, whatever other models have', async () => {
    await unfinished('m', LIMIT - 1);
    await unfinished('other', 10 * LIMIT);
    await newAdmission().require('m', ANYBODY, 1);
    await newAdmission().wait('m', ANYBODY, NEVER);
  });

  it('is refused from the limit on, over all jobs, with a default time to come back', async () => {
    await unfinished('m', LIMIT - 1);
    await unfinished('m', 1);
    await expect(newAdmission().require('m', ANYBODY, 1)).rejects.toMatchObject({
      status: 429,
      code: 'queue_full',
      type: 'rate_limit_error',
      retryAfter: 30,
      message: expect.stringContaining('EMBED_MAX_QUEUED_TEXTS'),
    });
  });

  it('is asked for all texts of a job at once; any number is taken while none are unfinished', async () => {
    await newAdmission().require('m', ANYBODY, 100 * LIMIT);
    await unfinished('m', LIMIT - 10);
    await newAdmission().require('m', ANYBODY, 10);
    await expect(newAdmission().require('m', ANYBODY, 11)).rejects.toMatchObject({
      code: 'queue_full',
      message: expect.stringContaining(`${LIMIT - 10} texts of model m are waiting, and 11 more`),
    });
  });

  it('shrinks with every text that is taken, between two counts as well', async () => {
    await unfinished('m', LIMIT - 1);
    const admission = newAdmission();
    await admission.require('m', ANYBODY, 1);
    admission.took('m', ANYBODY, 1);
    await expect(admission.require('m', ANYBODY, 1)).rejects.toMatchObject({ code: 'queue_full' });
  });

  it('is promised for when the fleet has worked off the surplus', async () => {
    const { registry, workers } = parts;
    for (const name of ['m', 'other']) await registry.announce(modelCard({ name, fingerprint: name.repeat(8) }), {});
    const heartbeat = (id: string, model: string, fingerprint: string, textsPerSecond: number) =>
      workers.heartbeat(workerRecord({ id, models: { [model]: fingerprint }, textsPerSecond }), 60_000);
    await heartbeat('a', 'm', 'm'.repeat(8), 4);
    await heartbeat('b', 'm', 'm'.repeat(8), 6);
    await heartbeat('another model', 'other', 'other'.repeat(8), 1000);
    await heartbeat('another version', 'm', 'n'.repeat(8), 1000);
    await unfinished('m', LIMIT + 49);
    await expect(newAdmission().require('m', ANYBODY, 1)).rejects.toMatchObject({ retryAfter: 5 });
  });

  it('is there for a key that has less than its share, however much others have', async () => {
    await unfinished('m', 5 * LIMIT, 'greedy');
    const admission = newAdmission();
    await expect(admission.require('m', { keyId: 'greedy' }, 1)).rejects.toMatchObject({ code: 'queue_full' });
    await admission.require('m', { keyId: 'modest' }, 1);
    await unfinished('m', LIMIT / 2, 'modest');
    await expect(newAdmission().require('m', { keyId: 'modest' }, 1)).rejects.toMatchObject({ code: 'queue_full' });
  });

  it('is waited for until a job ends', async () => {
    const id = await unfinished('m', LIMIT);
    const admission = newAdmission();
    let there = false;
    const waiting = admission.wait('m', ANYBODY, NEVER).then(() => {
      there = true;
    });
    await expect(admission.require('m', ANYBODY, 1)).rejects.toMatchObject({ code: 'queue_full' });
    expect(there).toBe(false);
    await parts.jobs.cancel(id);
    await waiting;
  });

  it('is no longer waited for when the signal says so', async () => {
    await unfinished('m', LIMIT);
    const stop = new AbortController();
    const waiting = newAdmission().wait('m', ANYBODY, stop.signal);
    stop.abort(new Error('the client has gone'));
    await expect(waiting).rejects.toThrow('the client has gone');
  });
});
