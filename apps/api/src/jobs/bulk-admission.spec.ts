import { ANYBODY, Keys, type WorkerRecord } from '#contracts';
import { connectRedis, JobStore, WorkerRegistry } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { newJobId } from './job-id.js';
import { QueueRoom } from './bulk-admission.js';

const LIMIT = 100;
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const keys = new Keys('test');
const store = new JobStore(redis, keys, { ttlSeconds: 60 });
const workers = new WorkerRegistry(redis, keys);
const NEVER = new AbortController().signal;

beforeEach(() => redis.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const newRoom = () => new QueueRoom(store, workers, LIMIT);

async function unfinished(model: string, texts: number, keyId: string | null = null): Promise<string> {
  const id = newJobId();
  await store.create({
    id,
    model,
    spec: { fingerprint: 'f'.repeat(16), prompt: '', truncate: 'end' },
    rowDimensions: 4,
    output: { dimensions: null, normalize: true },
    lane: 'bulk',
    tenant: '',
    keyId,
  });
  await store.accept(id, texts);
  return id;
}

function worker(id: string, model: string, textsPerSecond: number): WorkerRecord {
  const now = Date.now();
  return {
    ...{
      id,
      host: 'h',
      pid: 1,
      version: '0',
      device: 'cpu',
      state: 'ready',
      reason: null,
      models: { [model]: 'f'.repeat(16) },
    },
    ...{ metricsUrl: null, startedAt: now, heartbeatAt: now, tokensPerSecond: 0, textsPerSecond, fill: null },
    ...{ tasksInFlight: { interactive: 0, bulk: 0 }, memoryBytes: 0 },
  };
}

describe('room in the queue', () => {
  it('is there below the limit, whatever other models have', async () => {
    await unfinished('m', LIMIT - 1);
    await unfinished('other', 10 * LIMIT);
    await newRoom().require('m', ANYBODY);
    await newRoom().wait('m', ANYBODY, NEVER);
  });

  it('is refused from the limit on, over all jobs, with a default time to come back', async () => {
    await unfinished('m', LIMIT - 1);
    await unfinished('m', 1);
    await expect(newRoom().require('m', ANYBODY)).rejects.toMatchObject({
      status: 429,
      code: 'queue_full',
      type: 'rate_limit_error',
      retryAfter: 30,
      message: expect.stringContaining('EMBED_MAX_QUEUED_TEXTS'),
    });
  });

  it('shrinks with every text that is taken, between two counts as well', async () => {
    await unfinished('m', LIMIT - 1);
    const room = newRoom();
    await room.require('m', ANYBODY);
    room.took('m', ANYBODY, 1);
    await expect(room.require('m', ANYBODY)).rejects.toMatchObject({ code: 'queue_full' });
  });

  it('is promised for when the fleet has worked off the surplus', async () => {
    await workers.heartbeat(worker('a', 'm', 4), 60_000);
    await workers.heartbeat(worker('b', 'm', 6), 60_000);
    await workers.heartbeat(worker('c', 'other', 1000), 60_000);
    await unfinished('m', LIMIT + 49);
    await expect(newRoom().require('m', ANYBODY)).rejects.toMatchObject({ retryAfter: 5 });
  });

  it('is there for a key that has less than its share, however much others have', async () => {
    await unfinished('m', 5 * LIMIT, 'greedy');
    const room = newRoom();
    await expect(room.require('m', { keyId: 'greedy' })).rejects.toMatchObject({ code: 'queue_full' });
    await room.require('m', { keyId: 'modest' });
    await unfinished('m', LIMIT / 2, 'modest');
    await expect(newRoom().require('m', { keyId: 'modest' })).rejects.toMatchObject({ code: 'queue_full' });
  });

  it('is waited for until a job ends', async () => {
    const id = await unfinished('m', LIMIT);
    const room = newRoom();
    let there = false;
    const waiting = room.wait('m', ANYBODY, NEVER).then(() => {
      there = true;
    });
    await expect(room.require('m', ANYBODY)).rejects.toMatchObject({ code: 'queue_full' });
    expect(there).toBe(false);
    await store.cancel(id);
    await waiting;
  });

  it('is no longer waited for when the signal says so', async () => {
    await unfinished('m', LIMIT);
    const stop = new AbortController();
    const waiting = newRoom().wait('m', ANYBODY, stop.signal);
    stop.abort(new Error('the client has gone'));
    await expect(waiting).rejects.toThrow('the client has gone');
  });
});
