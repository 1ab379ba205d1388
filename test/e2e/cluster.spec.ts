import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readEnvironment } from '#config';
import { type JobList, type JobObject, jobListSchema, type RetriedJob, type Snapshot } from '#contracts';
import { awaitRedis, connectRedis } from '#store';
import { forgetKeys } from '../../apps/cli/src/demo/forget-keys.js';
import { MODEL } from '../support/deployment.js';
import { acceptJob, completedJob, cosine, embed, getJob, jobVectors, postEmbeddings } from '../support/front-door.js';
import { readMetric } from '../support/metrics.js';
import { BERT_VOCAB_SIZE, makeBertModel, POISON_TEXT } from '../support/random-model.js';
import { type RedisClusterServers, startRedisCluster } from '../support/redis-cluster.js';
import { type Service, type ServiceEnvironment, startApi, startWorker } from '../support/services.js';
import { until } from '../support/until.js';

/** The whole path on a real Redis Cluster of three nodes: queue, results and cache are all on it. */
let cluster: RedisClusterServers;
let folder: string;
let environment: ServiceEnvironment;
let api: Service;
let worker: Service;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-cluster-'));
  // One token of the vocabulary has no row in the embedding table: a text that holds it fails.
  [cluster] = await Promise.all([
    startRedisCluster({ aof: true }),
    makeBertModel(folder, { embeddingRows: BERT_VOCAB_SIZE - 1 }),
  ]);
  environment = {
    REDIS_URL: cluster.url,
    EMBED_MODELS: `${MODEL}=${folder}`,
    EMBED_MODEL_DIR: join(folder, 'compiled'),
    EMBED_LOCK_MS: '1500',
  };
  [worker, api] = await Promise.all([startWorker(environment), startApi(environment)]);
}, 60_000);

afterAll(async () => {
  await Promise.all([api, worker].map((service) => service?.kill()));
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

const texts = (what: string, count: number) => Array.from({ length: count }, (_, n) => `${what} number ${n}`);

async function admin<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${api.url}/admin/v1/${path}`, {
    ...(body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

function act(action: 'pause' | 'resume', lane: 'interactive' | 'bulk'): Promise<unknown> {
  return admin('queues/actions', { model: MODEL, lane, action });
}

it('computes jobs on every node, and gives their vectors', async () => {
  const jobs = await Promise.all(Array.from({ length: 8 }, (_, n) => acceptJob(api.url, texts(`job ${n}`, 200))));
  for (const [n, { id }] of jobs.entries()) {
    const job = await completedJob(api.url, id);
    expect(job.counts).toMatchObject({ texts: 200, done: 200, failed: 0 });
    const vectors = await jobVectors(api.url, job);
    const [again] = (await embed(api.url, texts(`job ${n}`, 1))).data;
    expect(cosine(vectors[0]!, again!.embedding as number[])).toBeGreaterThan(0.9999);
  }
}, 60_000);

it('answers queries, from the cache the second time', async () => {
  const input = texts('query', 40);
  const first = await postEmbeddings(api.url, { model: MODEL, input });
  expect(first.headers.get('x-embedmill-cached')).toBe('0');
  const computed = await readMetric(worker.url, 'embedmill_worker_texts_total');
  // Another process: nothing of it is in its memory.
  const other = await startApi(environment);
  const second = await postEmbeddings(other.url, { model: MODEL, input });
  expect(second.headers.get('x-embedmill-cached')).toBe('40');
  await other.stop();
  expect(await readMetric(worker.url, 'embedmill_worker_texts_total')).toBe(computed);
  const burst = await Promise.all(texts('at once', 30).map((text) => embed(api.url, text)));
  expect(burst.every(({ data }) => data.length === 1)).toBe(true);
}, 60_000);

it('shows operators queues, workers and jobs, pauses and resumes', async () => {
  await act('pause', 'bulk');
  const { id } = await acceptJob(api.url, texts('held', 100));
  const held = await until('the pause is seen', async () => {
    const snapshot = await admin<Snapshot>('snapshot');
    const lane = snapshot.models[0]!.lanes.bulk;
    return lane.paused && lane.texts === 100 && snapshot;
  });
  expect(held.models[0]).toMatchObject({ name: MODEL, ready_workers: 1 });
  expect(held.workers).toMatchObject([{ state: 'ready' }]);
  await act('resume', 'bulk');
  await completedJob(api.url, id);

  const { data } = await admin<JobList>('jobs?limit=100');
  expect(data.map((job) => job.id)).toContain(id);
  const audit = await admin<{ data: { action: string }[] }>('audit');
  expect(audit.data.map(({ action }) => action)).toEqual(expect.arrayContaining(['queue.pause', 'queue.resume']));
  const page = jobListSchema.parse(await (await fetch(`${api.url}/v1/jobs?limit=3`)).json());
  expect(page.data).toHaveLength(3);
  const next = jobListSchema.parse(await (await fetch(`${api.url}/v1/jobs?cursor=${page.next_cursor}`)).json());
  expect(next.data.map((job) => job.id)).not.toEqual(expect.arrayContaining(page.data.map((job) => job.id)));
}, 60_000);

it('cancels a job and takes its tasks out of the queue', async () => {
  await act('pause', 'bulk');
  const { id } = await acceptJob(api.url, texts('unwanted', 1000));
  const response = await fetch(`${api.url}/v1/jobs/${id}`, { method: 'DELETE' });
  expect(((await response.json()) as JobObject).state).toBe('cancelled');
  await until('its tasks are gone', async () => {
    const snapshot = await admin<Snapshot>('snapshot');
    return snapshot.models[0]!.lanes.bulk.waiting === 0;
  });
  await act('resume', 'bulk');
}, 60_000);

it('tries failed texts again', async () => {
  const { id } = await acceptJob(api.url, [...texts('sound', 70), POISON_TEXT, POISON_TEXT]);
  const job = await completedJob(api.url, id);
  expect(job.counts).toMatchObject({ done: 70, failed: 2 });
  const response = await fetch(`${api.url}/v1/jobs/${id}/retry`, { method: 'POST' });
  expect(response.status).toBe(202);
  expect(((await response.json()) as RetriedJob).retried).toBe(2);
  expect((await completedJob(api.url, id)).counts).toMatchObject({ done: 70, failed: 2 });
}, 60_000);

it('is examined by the doctor, node by node', async () => {
  const entry = fileURLToPath(new URL('../../apps/cli/src/main.js', import.meta.url));
  const env = { PATH: process.env['PATH'], ...environment, EMBED_PORT: new URL(api.url).port };
  const { stdout } = await promisify(execFile)(process.execPath, [entry, 'doctor', '--json'], { env });
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
  const addresses = cluster.nodes.map(({ url }) => new URL(url).host);
  const found = (name: string) => checks.find((check) => check.name === name)?.status;
  expect(addresses.map((address) => found(`queue: append-only file, ${address}`))).toEqual(['ok', 'ok', 'ok']);
  expect(addresses.map((address) => found(`cache: instance, ${address}`))).toEqual(['warn', 'warn', 'warn']);
}, 60_000);

it('goes on when a node has been away', async () => {
  const { id } = await acceptJob(api.url, texts('meanwhile', 500));
  const node = cluster.nodes[1]!;
  await node.halt();
  await node.start();
  await cluster.complete();
  await until('queries are answered again', async () => {
    const response = await postEmbeddings(api.url, { model: MODEL, input: `after ${Math.random()}` });
    return response.status === 200;
  });
  const job = await until('the job is completed', async () => {
    const now = await getJob(api.url, id).catch(() => null);
    return now?.state === 'completed' && now;
  });
  expect(job.counts).toMatchObject({ texts: 500, done: 500, failed: 0 });
}, 90_000);

it('is left without a key by the demo', async () => {
  await api.stop();
  await worker.stop();
  const redis = connectRedis(cluster.url, 'command', 'test');
  await awaitRedis(redis, 10_000);
  await redis.set('other:key', 'stays');
  await forgetKeys(readEnvironment({ ...environment }), 'em');
  const left = await Promise.all(
    cluster.nodes.map(async ({ url }) => {
      const node = connectRedis(url, 'command', 'test');
      await awaitRedis(node, 10_000);
      const keys = await node.keys('*');
      node.disconnect();
      return keys;
    }),
  );
  expect(left.flat()).toEqual(['other:key']);
  redis.disconnect();
}, 60_000);
