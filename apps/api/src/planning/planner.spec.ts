import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ANYBODY, embed, encodeRow, Keys, type Operation, Operations, type Row, rowsOfFloats } from '#contracts';
import { connectRedis, MemoryCache, ModelRegistry } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { embedding } from '../output/embedding.js';
import { OutputShapes } from '../output/output-shape.js';
import { modelCard } from './model-card.fixture.js';
import { ModelDirectory } from './model-directory.js';
import { Planner, type PlanOptions } from './planner.js';
import { PromptLimit } from './prompt-limit.js';
import { TokenLimit } from './token-limit.js';

/** An operation on pairs, which only models that say so can do. */
const compare: Operation<readonly [string, string]> = {
  name: 'compare',
  input: z.tuple([z.string(), z.string()]),
  key: (pair) => JSON.stringify(pair),
  bytes: ([a, b]) => a.length + b.length,
  texts: (pair) => pair,
  isServedBy: ({ operations }) => operations['compare'] !== undefined,
  rowBytes: () => rowsOfFloats(1),
  example: ['a', 'b'],
};

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const options: PlanOptions = { model: 'embeds', truncate: 'end', input_type: undefined, priority: undefined };

/** Two models: `embeds` has prompts and can do nothing but that, `both` can compare pairs too. `silent` is awaited. */
async function setUp() {
  const keys = new Keys(randomUUID());
  const registry = new ModelRegistry(redis, keys);
  const card = modelCard({ name: 'embeds', prompts: { query: 'query: ' } });
  await registry.announce(card, {});
  const both = modelCard({ name: 'both', fingerprint: 'b'.repeat(64), truncate: 'start' });
  await registry.announce({ ...both, operations: { ...both.operations, compare: {} } }, {});
  const cache = new MemoryCache(1_000_000);
  const counted: [model: string, hits: number, misses: number][] = [];
  const planner = new Planner({
    models: new ModelDirectory(registry, ['embeds', 'both', 'silent']),
    promptLimit: new PromptLimit(new TokenLimit(registry)),
    operations: new Operations([embed, compare]),
    shapes: new OutputShapes([embedding, { ...embedding, operation: 'compare', plan: () => ({ made: 'as asked' }) }]),
    cache,
    keys,
    count: { lookups: (...lookup) => counted.push(lookup) },
  });
  return { cache, card, counted, planner };
}

const row = (value: number, floats = 4): Row => encodeRow(new Float32Array(floats).fill(value), 1, false);

describe('a plan', () => {
  it('is what the options come to for the model', async () => {
    const { card, planner } = await setUp();
    expect(await planner.plan('embed', options, 'bulk', ANYBODY, 'r')).toEqual({
      caller: ANYBODY,
      requestId: 'r',
      card,
      operation: embed,
      spec: { operation: 'embed', fingerprint: card.fingerprint, prompt: '', truncate: 'end' },
      prompt: null,
      output: { dimensions: null, normalize: true },
      lane: 'bulk',
      refuseTooLong: false,
    });
    const asked = { ...options, dimensions: 2, normalize: false, input_type: 'query', truncate: 'middle' } as const;
    expect(await planner.plan('embed', asked, 'interactive', ANYBODY, 'r')).toMatchObject({
      spec: { prompt: 'query: ', truncate: 'middle' },
      prompt: 'query',
      output: { dimensions: 2, normalize: false },
      lane: 'interactive',
    });
  });

  it('has the lane of its priority, else that of its route', async () => {
    const { planner } = await setUp();
    const laneOf = async (priority: PlanOptions['priority'], route: 'interactive' | 'bulk') =>
      (await planner.plan('embed', { ...options, priority }, route, ANYBODY, 'r')).lane;
    expect(await laneOf('high', 'bulk')).toBe('interactive');
    expect(await laneOf('normal', 'interactive')).toBe('bulk');
    expect(await laneOf(undefined, 'interactive')).toBe('interactive');
  });

  it('to refuse long texts shares its rows with those who cut at the end: what fits is the same', async () => {
    const { planner } = await setUp();
    const refusing = await planner.plan('embed', { ...options, truncate: 'error' }, 'bulk', ANYBODY, 'r');
    const cutting = await planner.plan('embed', options, 'bulk', ANYBODY, 'r');
    expect(refusing.refuseTooLong).toBe(true);
    expect(refusing.spec).toEqual(cutting.spec);
  });

  it('cuts long texts where the model does, if the request does not say', async () => {
    const { planner } = await setUp();
    const sideOf = async (model: string, truncate?: PlanOptions['truncate']) =>
      (await planner.plan('embed', { ...options, model, truncate }, 'bulk', ANYBODY, 'r')).spec.truncate;
    expect(await sideOf('embeds')).toBe('end');
    expect(await sideOf('both')).toBe('start');
    expect(await sideOf('both', 'end')).toBe('end');
    // What fits is the same on every side.
    expect(await sideOf('both', 'error')).toBe('end');
  });

  it('has no prompt where the model has none of that name', async () => {
    const { planner } = await setUp();
    const plan = await planner.plan('embed', { ...options, input_type: 'document' }, 'bulk', ANYBODY, 'r');
    expect(plan.spec.prompt).toBe('');
  });

  it('shares its rows with every request whose prompt has the same text', async () => {
    const { planner } = await setUp();
    const specOf = async (changes: Partial<PlanOptions>) =>
      (await planner.plan('embed', { ...options, ...changes }, 'bulk', ANYBODY, 'r')).spec;
    const query = await specOf({ input_type: 'query' });
    expect(await specOf({ prompt_name: 'query' })).toEqual(query);
    expect(await specOf({ input_type: 'search_query' })).toEqual(query);
    expect(await specOf({ prompt_name: 'none' })).toEqual(await specOf({}));
  });

  it('keeps the cache salt of its caller to itself', async () => {
    const { planner } = await setUp();
    const { spec } = await planner.plan('embed', options, 'bulk', { ...ANYBODY, cacheSalt: 'secret' }, 'r');
    expect(spec.salt).toMatch(/^[\w-]{20}$/);
    expect(JSON.stringify(spec)).not.toContain('secret');
  });

  it('of another operation is made by that one, and its output by its shape', async () => {
    const { planner } = await setUp();
    expect(await planner.plan('compare', { ...options, model: 'both' }, 'bulk', ANYBODY, 'r')).toMatchObject({
      operation: compare,
      spec: { operation: 'compare' },
      output: { made: 'as asked' },
    });
  });

  it.each([
    ['a model that is not served', 'embed', 'none', 404, 'model_not_found'],
    ['a model that no worker has announced', 'embed', 'silent', 503, 'model_not_ready'],
    ['a model that cannot do it', 'compare', 'embeds', 400, 'operation_not_supported'],
  ])('is refused for %s', async (_, operation, model, status, code) => {
    const { planner } = await setUp();
    await expect(planner.plan(operation, { ...options, model }, 'bulk', ANYBODY, 'r')).rejects.toMatchObject({
      status,
      code,
      param: 'model',
    });
  });
});

describe('a look into the cache', () => {
  it('takes equal inputs for one, finds what is there, and counts texts', async () => {
    const { cache, counted, planner } = await setUp();
    const plan = await planner.plan('embed', options, 'bulk', ANYBODY, 'r');
    const first = await planner.lookup(plan, ['a', 'b', 'a', 'a']);
    expect(first.distinct.map(({ input, positions }) => [input, positions])).toEqual([
      ['a', [0, 2, 3]],
      ['b', [1]],
    ]);
    expect(first.row).toEqual([null, null]);
    await cache.setMany([[first.distinct[0]!.key, row(1)]]);
    const second = await planner.lookup(plan, ['b', 'a', 'a']);
    expect(second.row).toEqual([null, row(1)]);
    expect(counted).toEqual([
      ['embeds', 0, 4],
      ['embeds', 2, 1],
    ]);
  });

  it('finds nothing of another prompt, truncation, salt, model or operation', async () => {
    const { planner } = await setUp();
    const keyOf = async (changes: Partial<PlanOptions>, cacheSalt = '') => {
      const plan = await planner.plan('embed', { ...options, ...changes }, 'bulk', { ...ANYBODY, cacheSalt }, 'r');
      return (await planner.lookup(plan, ['["a","b"]'])).distinct[0]!.key;
    };
    const pairs = await planner.plan('compare', { ...options, model: 'both' }, 'bulk', ANYBODY, 'r');
    const [pair] = (await planner.lookup(pairs, [['a', 'b']])).distinct;
    const others = [
      await keyOf({}),
      await keyOf({ input_type: 'query' }),
      await keyOf({ truncate: 'start' }),
      await keyOf({}, 'salt'),
      await keyOf({ model: 'both' }),
      pair!.key,
    ];
    expect(new Set(others).size).toBe(others.length);
    expect(await keyOf({ priority: 'high' })).toBe(others[0]);
  });

  it('takes what is no row of the model for a miss', async () => {
    const { cache, planner } = await setUp();
    const plan = await planner.plan('embed', options, 'bulk', ANYBODY, 'r');
    const { distinct } = await planner.lookup(plan, ['a']);
    await cache.setMany([[distinct[0]!.key, row(1, 3)]]);
    expect((await planner.lookup(plan, ['a'])).row).toEqual([null]);
  });
});
