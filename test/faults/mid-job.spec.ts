import { Redis } from 'ioredis';
import type { JobObject } from '#contracts';
import { Deployment, MODEL } from '../support/deployment.js';
import {
  acceptJob,
  completedJob,
  cosine,
  embed,
  getJob,
  jobVectors,
  postEmbeddings,
  postJob,
} from '../support/front-door.js';
import { readMetric } from '../support/metrics.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

const TEXTS = 3000;
/** Known to the cache before the job comes. */
const KNOWN = 500;
const texts = Array.from({ length: TEXTS }, (_, n) => `${'the quick brown fox jumps over '.repeat(1 + (n % 9))}${n}`);

/** Each test has its own keys in the same Redis, so that nothing is known to begin with. */
const undisturbed = { EMBED_KEY_PREFIX: 'calm' };
let deployment: Deployment;
let expected: { job: JobObject; vectors: Float32Array[] };

beforeAll(async () => {
  deployment = await Deployment.start({ hidden: 128, layers: 4, maxTokens: 128, pooling: 'mean' });
  const worker = await deployment.worker(undisturbed);
  const api = await deployment.api(undisturbed);
  const { id } = await acceptJob(api.url, texts);
  const job = await completedJob(api.url, id);
  expected = { job, vectors: await jobVectors(api.url, job) };
  await Promise.all([worker.stop(), api.stop()]);
}, 120_000);

afterAll(() => deployment.stop());

it('a job without trouble has its counts right', () => {
  expect(expected.job.counts).toEqual({ texts: TEXTS, done: TEXTS, cached: 0, failed: 0, pending: 0, truncated: 0 });
  expect(expected.vectors).toHaveLength(TEXTS);
  // Else comparing with them would prove nothing.
  const alike = expected.vectors.filter((vector, n) => n > 0 && cosine(vector, expected.vectors[n - 1]!) >= 0.9999);
  expect(alike).toEqual([]);
});

it('a worker killed with -9: the other one takes over, every vector is right, counts are exact, nothing cached is computed again', async () => {
  const prefix = { EMBED_KEY_PREFIX: 'killed' };
  const [survivor, victim] = await Promise.all([deployment.worker(prefix), deployment.worker(prefix)]);
  const api = await deployment.api(prefix);
  await completedJob(api.url, (await acceptJob(api.url, texts.slice(0, KNOWN))).id);

  const { id } = await acceptJob(api.url, texts);
  await until('both workers are at it, well into the job', async () => {
    const { counts } = await getJob(api.url, id);
    if (counts.done < KNOWN + 400) return false;
    const held = await Promise.all([survivor, victim].map((worker) => tasksHeld(worker)));
    return held.every((tasks) => tasks > 0);
  });
  await victim.kill();
  expect((await getJob(api.url, id)).counts.pending).toBeGreaterThan(0);
  const inCache = await countKeys(deployment.cache.url, 'killed:vec:*');
  const computedBefore = await textsComputed(survivor);
  // Accepted before its texts are in the cache, and run after: the worker has to look again.
  const again = await acceptJob(api.url, texts);

  const job = await completedJob(api.url, id);
  expect(job.counts).toEqual({ texts: TEXTS, done: TEXTS, cached: KNOWN, failed: 0, pending: 0, truncated: 0 });
  expect(job.tokens).toBe(expected.job.tokens);
  expectVectors(await jobVectors(api.url, job));
  const second = await completedJob(api.url, again.id);
  expect(second.counts).toMatchObject({ texts: TEXTS, done: TEXTS, failed: 0, pending: 0 });
  expect(second.tokens).toBe(expected.job.tokens);
  expectVectors(await jobVectors(api.url, second));
  expect((await textsComputed(survivor)) - computedBefore).toBeLessThanOrEqual(TEXTS - inCache);
  await Promise.all([survivor.stop(), api.stop()]);
}, 120_000);

it('the queue Redis stopped and started again: 503 with Retry-After meanwhile, then the job completes and nothing is lost', async () => {
  const prefix = { EMBED_KEY_PREFIX: 'stopped' };
  const worker = await deployment.worker(prefix);
  const api = await deployment.api(prefix);
  const { id } = await acceptJob(api.url, texts);
  await until('the job is under way', async () => (await getJob(api.url, id)).counts.done > 0);
  await deployment.queue.halt();

  await until('the worker has noticed', async () => (await fetch(`${worker.url}/health/ready`)).status === 503);
  const refusals = {
    'embeddings': await postEmbeddings(api.url, { model: MODEL, input: 'never seen before' }),
    'new job': await postJob(api.url, { model: MODEL, input: ['never seen before'] }),
    'job state': await fetch(`${api.url}/v1/jobs/${id}`),
    'job results': await fetch(`${api.url}/v1/jobs/${id}/results`),
  };
  for (const [door, response] of Object.entries(refusals)) {
    const body = (await response.json()) as { error: { code: string } };
    const retryAfter = Number(response.headers.get('retry-after'));
    expect({ door, status: response.status, code: body.error?.code, retryAfter: retryAfter > 0 }).toEqual({
      door,
      status: 503,
      code: 'queue_unavailable',
      retryAfter: true,
    });
  }
  expect((await fetch(`${api.url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
  expect((await fetch(`${worker.url}/health/live`)).status).toBe(200);
  expect(await readMetric(api.url, 'embedmill_redis_up')).toBe(0);

  await deployment.queue.start();
  const job = await until(
    'the job is completed',
    async () => {
      const now = await getJob(api.url, id);
      return now.state === 'completed' && now;
    },
    { patienceMs: 60_000, everyMs: 100 },
  );
  expect(job.counts).toEqual({ texts: TEXTS, done: TEXTS, cached: 0, failed: 0, pending: 0, truncated: 0 });
  expect(job.tokens).toBe(expected.job.tokens);
  expectVectors(await jobVectors(api.url, job));
  expect((await embed(api.url, 'never seen before')).data).toHaveLength(1);
  expect((await fetch(`${worker.url}/health/ready`)).status).toBe(200);
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
  await api.stop();
}, 120_000);

it('a worker told to stop while another one starts: the job never notices', async () => {
  const prefix = { EMBED_KEY_PREFIX: 'rolled' };
  const old = await deployment.worker(prefix);
  const api = await deployment.api(prefix);
  const { id } = await acceptJob(api.url, texts);
  await until('the job is under way', async () => (await getJob(api.url, id)).counts.done > 0);
  const [fresh, exit] = await Promise.all([deployment.worker(prefix), old.stop()]);
  expect(exit).toEqual({ code: 0, signal: null });
  const job = await completedJob(api.url, id);
  expect(job.counts).toEqual({ texts: TEXTS, done: TEXTS, cached: 0, failed: 0, pending: 0, truncated: 0 });
  expectVectors(await jobVectors(api.url, job));
  await Promise.all([fresh.stop(), api.stop()]);
}, 120_000);

function expectVectors(vectors: readonly Float32Array[]): void {
  expect(vectors).toHaveLength(TEXTS);
  const wrong = vectors.flatMap((vector, n) => (cosine(vector, expected.vectors[n]!) >= 0.99999 ? [] : [n]));
  expect(wrong).toEqual([]);
}

function tasksHeld(worker: Service): Promise<number> {
  return readMetric(worker.url, 'embedmill_worker_tasks_in_flight');
}

function textsComputed(worker: Service): Promise<number> {
  return readMetric(worker.url, 'embedmill_worker_texts_total');
}

async function countKeys(url: string, pattern: string): Promise<number> {
  const redis = new Redis(url);
  // A set: while Redis grows its table, a scan meets keys twice.
  const found = new Set<string>();
  for await (const keys of redis.scanStream({ match: pattern, count: 1000 })) {
    for (const key of keys as string[]) found.add(key);
  }
  redis.disconnect();
  return found.size;
}
