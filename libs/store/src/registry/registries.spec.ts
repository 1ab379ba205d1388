import { randomUUID } from 'node:crypto';
import { Keys, type ModelCard, type WorkerRecord } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { connectRedis } from '../redis/client.js';
import { CanaryReferences } from './canary-references.js';
import { ModelRegistry } from './model-registry.js';
import { WorkerRegistry } from './worker-registry.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
let keys: Keys;

beforeEach(() => {
  keys = new Keys(randomUUID());
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

describe('the worker registry', () => {
  function worker(id: string, startedAt: number): WorkerRecord {
    return {
      id,
      host: 'h',
      pid: 1,
      version: '0.1.0',
      device: 'cpu',
      state: 'ready',
      reason: null,
      models: { m: 'f'.repeat(64) },
      metricsUrl: null,
      startedAt,
      heartbeatAt: Date.now(),
      tokensPerSecond: 0,
      textsPerSecond: 0,
      fill: null,
      tasksInFlight: { interactive: 0, bulk: 0 },
      memoryBytes: 1,
    };
  }

  it('lists workers, longest-lived first, until they are silent for too long or leave', async () => {
    const registry = new WorkerRegistry(redis, keys);
    await registry.heartbeat(worker('young', 3), 60_000);
    await registry.heartbeat(worker('old', 1), 60_000);
    await registry.heartbeat(worker('silent', 2), 500);
    expect((await registry.list()).map(({ id }) => id)).toEqual(['old', 'silent', 'young']);
    await until('the silent one is gone', async () => (await registry.list()).length === 2);
    expect(await redis.zrange(keys.workers(), '0', '-1')).toEqual(expect.not.arrayContaining(['silent']));
    await registry.remove('old');
    expect((await registry.list()).map(({ id }) => id)).toEqual(['young']);
  });

  it('keeps the last records of those who fell silent, until they are back, leave or are dismissed', async () => {
    const registry = new WorkerRegistry(redis, keys);
    for (const id of ['back', 'dismissed', 'silent']) await registry.heartbeat(worker(id, 1), 20);
    await registry.heartbeat(worker('gone', 1), 60_000);
    await registry.remove('gone');
    await until('all are lost', async () => (await registry.lost()).length === 3);
    expect(await registry.list()).toEqual([]);
    await registry.remove('dismissed');
    await registry.heartbeat(worker('back', 1), 60_000);
    expect((await registry.lost()).map(({ id }) => id)).toEqual(['silent']);
    expect((await registry.list()).map(({ id }) => id)).toEqual(['back']);
    const ttl = await redis.ttl(keys.lastRecord('silent'));
    expect(ttl).toBeGreaterThan(3500);
    expect(ttl).toBeLessThanOrEqual(3600);
  });

  it('lists the others when one writes what this version does not know', async () => {
    const registry = new WorkerRegistry(redis, keys);
    await registry.heartbeat(worker('a', 1), 60_000);
    await registry.heartbeat({ ...worker('b', 2), state: 'pondering' } as unknown as WorkerRecord, 60_000);
    expect((await registry.list()).map(({ id }) => id)).toEqual(['a']);
  });
});

describe('the model registry', () => {
  function card(name: string, fingerprint: string): ModelCard {
    return {
      name,
      fingerprint,
      source: 'folder:/m',
      dtype: 'fp32',
      maxTokens: 8,
      prompts: {},
      operations: { embed: { dimensions: 3, pooling: 'mean', normalize: true, matryoshka: [] } },
      createdAt: 1,
    };
  }
  const [first, second] = ['1'.repeat(16), '2'.repeat(16)];

  it('gives back cards and tokenizer files as they were announced', async () => {
    const registry = new ModelRegistry(redis, keys);
    const files = { tokenizer: { model: { vocab: ['a', '不'] } }, config: null };
    await registry.announce(card('org/b', first), files);
    await registry.announce(card('a', second), {});
    expect(await registry.card('org/b')).toEqual(card('org/b', first));
    expect((await registry.list()).map(({ name }) => name)).toEqual(['a', 'org/b']);
    expect(await registry.tokenizerFiles(first)).toEqual(files);
    expect(await registry.card('none')).toBeNull();
    expect(await registry.tokenizerFiles('none')).toBeNull();
  });

  it('reads cards that workers of 0.1.0 announced, among others', async () => {
    const registry = new ModelRegistry(redis, keys);
    const { operations, ...rest } = card('old', first);
    await redis.set(keys.model('old'), JSON.stringify({ ...rest, ...operations.embed }));
    await redis.sadd(keys.models(), 'old');
    await registry.announce(card('new', second), {});
    expect(await registry.card('old')).toEqual(card('old', first));
    expect((await registry.list()).map(({ name }) => name)).toEqual(['new', 'old']);
  });

  it('keeps no tokenizer forever that no card names any more', async () => {
    const registry = new ModelRegistry(redis, keys);
    await registry.announce(card('a', first), {});
    await registry.announce(card('b', first), {});
    await registry.announce(card('a', second), {});
    expect(await redis.ttl(keys.tokenizer(first))).toBe(-1);
    await registry.announce(card('b', second), {});
    expect(await redis.ttl(keys.tokenizer(first))).toBeGreaterThan(0);
    expect(await redis.ttl(keys.tokenizer(second))).toBe(-1);
    await registry.announce(card('b', first), {});
    expect(await redis.ttl(keys.tokenizer(first))).toBe(-1);
  });
});

describe('references of self-tests', () => {
  const fingerprint = 'f'.repeat(64);

  it('are what the first worker of a fingerprint computed', async () => {
    const references = new CanaryReferences(redis, keys);
    const [first, second] = [Float32Array.of(1, 2), Float32Array.of(1, 2.5)];
    expect(await references.agree(fingerprint, first)).toEqual(first);
    expect(await references.agree(fingerprint, second)).toEqual(first);
    expect(await references.agree('e'.repeat(64), second)).toEqual(second);
  });

  it('are none of another length', async () => {
    const own = Float32Array.of(1, 2);
    await redis.set(keys.canary(fingerprint), Buffer.alloc(7));
    expect(await new CanaryReferences(redis, keys).agree(fingerprint, own)).toEqual(own);
  });
});
