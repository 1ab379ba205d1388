import { randomUUID } from 'node:crypto';
import { Keys, type RequestTask, type TextResult } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { Aborts } from './cancellations.js';
import { connectRedis } from '../connect-redis.js';
import { Replies } from './replies.js';
import { ReplyInbox } from './reply-inbox.js';

const keys = new Keys('test');
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const subscriber = connectRedis(server.url, 'subscriber', 'test');
const apiId = randomUUID();
const inbox = new ReplyInbox(subscriber, redis, keys, apiId);
const replies = new Replies(redis, keys);

afterAll(async () => {
  inbox.close();
  redis.disconnect();
  subscriber.disconnect();
  await server.stop();
});

const results: TextResult[] = [
  { ok: true, vector: Float32Array.of(1, 2, 3), tokens: 5, truncated: false },
  { ok: false, error: { code: 'inference_failed', message: 'nein — 不' } },
  { ok: true, vector: Float32Array.of(-1, 0.25, 1e-30), tokens: 512, truncated: true },
];

function task(to: string = apiId): RequestTask {
  return {
    kind: 'request',
    model: 'm',
    spec: { fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' },
    texts: ['a', 'b', 'c'],
    acceptedAt: Date.now(),
    apiId: to,
    deadlineAt: Date.now() + 1000,
  };
}

it('wakes a waiting request with its results', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(task(), id, results);
  expect(await waiting).toEqual(results);
  expect(inbox.waiting).toBe(0);
});

it('carries a reply too large to come with its news', async () => {
  const id = randomUUID();
  const many = Array.from({ length: 3000 }, () => results).flat();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(task(), id, many);
  expect(await waiting).toEqual(many);
});

it('leaves no reply behind that was read', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(task(), id, results);
  await waiting;
  await until('it is gone', async () => (await redis.exists(keys.reply(id))) === 0);
});

it('answers a request that begins to wait after its reply was written', async () => {
  const id = randomUUID();
  await replies.write(task(), id, results);
  expect(await inbox.wait(id, { timeoutMs: 10_000 })).toEqual(results);
});

it('finds a reply whose news never came', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(task('somebody else'), id, results);
  expect(await waiting).toEqual(results);
});

it('carries a reply of errors only', async () => {
  const id = randomUUID();
  const failed: TextResult[] = [{ ok: false, error: { code: 'task_failed', message: 'x' } }];
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(task(), id, failed);
  expect(await waiting).toEqual(failed);
});

it('tells where the time went when the task asked for it, also of one that failed', async () => {
  const timings = { queueMs: 1, tokenizeMs: 2, batchMs: 3.5, inferenceMs: 4 };
  const told: unknown[] = [];
  const options = { timeoutMs: 10_000, onTimings: (one: unknown) => told.push(one) };
  const id = randomUUID();
  await replies.write(task(), id, results, timings);
  expect(await inbox.wait(id, options)).toEqual(results);
  expect(told).toEqual([timings]);

  const other = randomUUID();
  await replies.write(task(), other, results);
  expect(await inbox.wait(other, options)).toEqual(results);
  expect(told).toHaveLength(1);
});

it('ends with the time or the signal', async () => {
  expect(await inbox.wait(randomUUID(), { timeoutMs: 20 })).toBe('timeout');
  const gone = new AbortController();
  const waiting = inbox.wait(randomUUID(), { timeoutMs: 60_000, signal: gone.signal });
  gone.abort();
  expect(await waiting).toBe('timeout');
  expect(inbox.waiting).toBe(0);
});

it('looks a last time when the time is over', async () => {
  const id = randomUUID();
  // Sooner than replies are looked for whose news got lost.
  const waiting = inbox.wait(id, { timeoutMs: 200 });
  await replies.write(task('somebody else'), id, results);
  expect(await waiting).toEqual(results);
});

it('is woken after the connection broke while it waited', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 20_000 });
  await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await replies.write(task(), id, results);
  expect(await waiting).toEqual(results);
});

it('remembers which texts were dropped', async () => {
  const aborts = new Aborts(redis, keys);
  const id = randomUUID();
  await aborts.drop(id, [2]);
  await aborts.drop(id, [0, 2]);
  expect((await aborts.dropped(id)).sort()).toEqual([0, 2]);
  expect(await aborts.dropped(randomUUID())).toEqual([]);
});
