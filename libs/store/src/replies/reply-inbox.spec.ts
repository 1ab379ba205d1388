import { randomUUID } from 'node:crypto';
import { encodeRow, Keys } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { connectRedis } from '../redis/client.js';
import { Replies } from './replies.js';
import type { Reply } from './reply-codec.js';
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

const REPLY: Reply = {
  outcomes: [
    encodeRow(Float32Array.of(1, 2, 3), 5, false),
    { code: 'inference_failed', message: 'nein — 不' },
    encodeRow(Float32Array.of(-1, 0.25), 512, true),
  ],
  timings: { queueMs: 1, tokenizeMs: 2, batchMs: 3.5, inferenceMs: 4 },
};
/** A task of this API process, and one whose news goes to another. */
const OURS = { apiId };
const THEIRS = { apiId: 'somebody else' };

it('wakes a waiting request with its outcomes, and where the time went', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(OURS, id, REPLY);
  expect(await waiting).toEqual(REPLY);
  expect(inbox.waiting).toBe(0);
});

it('carries a reply too large to come with its news', async () => {
  const id = randomUUID();
  const many = { ...REPLY, outcomes: Array.from({ length: 3000 }, () => REPLY.outcomes).flat() };
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(OURS, id, many);
  expect(await waiting).toEqual(many);
});

it('leaves no reply behind that was read', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(OURS, id, REPLY);
  await waiting;
  await until('it is gone', async () => (await redis.exists(keys.reply(id))) === 0);
});

it('answers a request that begins to wait after its reply was written', async () => {
  const id = randomUUID();
  await replies.write(OURS, id, REPLY);
  expect(await inbox.wait(id, { timeoutMs: 10_000 })).toEqual(REPLY);
});

it('finds a reply whose news never came', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(THEIRS, id, REPLY);
  expect(await waiting).toEqual(REPLY);
});

it('carries a reply of errors only', async () => {
  const id = randomUUID();
  const failed: Reply = { ...REPLY, outcomes: [{ code: 'task_failed', message: 'x' }] };
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(OURS, id, failed);
  expect(await waiting).toEqual(failed);
});

it('takes a reply that is written twice', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 10_000 });
  await replies.write(OURS, id, REPLY);
  await replies.write(OURS, id, REPLY);
  expect(await waiting).toEqual(REPLY);
});

it('ends with the time or the signal, and says with which', async () => {
  expect(await inbox.wait(randomUUID(), { timeoutMs: 20 })).toBe('late');
  const gone = new AbortController();
  const waiting = inbox.wait(randomUUID(), { timeoutMs: 60_000, signal: gone.signal });
  gone.abort();
  expect(await waiting).toBe('cancelled');
  expect(await inbox.wait(randomUUID(), { timeoutMs: 60_000, signal: gone.signal })).toBe('cancelled');
  expect(inbox.waiting).toBe(0);
});

it('looks a last time when the time is over', async () => {
  const id = randomUUID();
  // Sooner than replies are looked for whose news got lost.
  const waiting = inbox.wait(id, { timeoutMs: 200 });
  await replies.write(THEIRS, id, REPLY);
  expect(await waiting).toEqual(REPLY);
});

it('is woken after the connection broke while it waited', async () => {
  const id = randomUUID();
  const waiting = inbox.wait(id, { timeoutMs: 20_000 });
  await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await replies.write(OURS, id, REPLY);
  expect(await waiting).toEqual(REPLY);
});
