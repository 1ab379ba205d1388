import { ApiKeys } from '#access';
import { type JobObject, Keys } from '#contracts';
import { connectRedis } from '#store';
import { Deployment, MODEL } from '../support/deployment.js';
import type { Service } from '../support/services.js';

const GREEDY_TEXTS = 20_000;
const MODEST_TEXTS = 2000;

const deployment = await Deployment.start();
const redis = connectRedis(deployment.queue.url, 'worker', 'test');
const keys = new ApiKeys(redis, new Keys('em'));
let api: Service;

beforeAll(async () => {
  api = await deployment.api({ EMBED_AUTH: 'on' });
  // Announces the model, and goes: the queue fills while nobody works.
  await (await deployment.worker()).stop();
});
afterAll(async () => {
  redis.disconnect();
  await deployment.stop();
});

async function newKey(name: string): Promise<string> {
  const limits = { requestsPerMinute: null, tokensPerMinute: null };
  const wanted = { name, tenant: 'default', limits, cacheSalt: '', expiresAt: null };
  return (await keys.create({ ...wanted, scopes: ['jobs'] })).key;
}

async function upload(key: string, name: string, texts: number): Promise<string> {
  const response = await fetch(`${api.url}/v1/jobs?model=${MODEL}`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
    body: Array.from({ length: texts }, (_, n) => JSON.stringify(`${name} ${n}`)).join('\n'),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as JobObject).id;
}

async function jobOf(key: string, id: string, wait: number): Promise<JobObject> {
  const headers = { authorization: `Bearer ${key}` };
  return (await (await fetch(`${api.url}/v1/jobs/${id}?wait=${wait}`, { headers })).json()) as JobObject;
}

it('serves two keys alike while both wait, though one came first with ten times as much', async () => {
  const [greedy, modest] = [await newKey('greedy'), await newKey('modest')];
  const first = await upload(greedy, 'greedy', GREEDY_TEXTS);
  const second = await upload(modest, 'modest', MODEST_TEXTS);
  await deployment.worker();
  const done = await jobOf(modest, second, 60);
  const beside = (await jobOf(greedy, first, 0)).counts.done;
  expect(done).toMatchObject({ state: 'completed', counts: { done: MODEST_TEXTS } });
  const share = MODEST_TEXTS / (MODEST_TEXTS + beside);
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.6);
  expect((await jobOf(greedy, first, 60)).state).toBe('completed');
});
