import {
  type AdminJobDetail,
  adminJobDetailSchema,
  adminJobListSchema,
  type ApiErrorBody,
  type AuditEntry,
  auditLogSchema,
  embed as embedOperation,
  encodeRow,
  type History,
  historySchema,
  type HistorySeries,
  type JobObject,
  type PlaygroundResponse,
  playgroundResponseSchema,
  Keys,
  type QueueAction,
  type RetriedJob,
  retriedJobSchema,
  type Snapshot,
  snapshotSchema,
  type WorkerView,
} from '#contracts';
import { cacheKeyOf, connectRedis } from '#store';
import { Deployment, MODEL } from '../support/deployment.js';
import { acceptJob, completedJob, embed, getJob, postEmbeddings } from '../support/front-door.js';
import { BERT_VOCAB_SIZE, POISON_TEXT } from '../support/random-model.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

let deployment: Deployment;
let api: Service;
let worker: Service;

beforeAll(async () => {
  deployment = await Deployment.start({ embeddingRows: BERT_VOCAB_SIZE - 1 });
  [worker, api] = await Promise.all([deployment.worker(), deployment.api()]);
}, 60_000);

afterAll(() => deployment.stop());

async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(`${api.url}/admin/v1${path}`);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

function post(path: string, body: object = {}): Promise<Response> {
  return fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'by-an-operator' },
    body: JSON.stringify(body),
  });
}

async function act(action: QueueAction, lane: 'interactive' | 'bulk' = 'bulk'): Promise<number> {
  const response = await post('/admin/v1/queues/actions', { model: MODEL, lane, action });
  expect(response.status).toBe(200);
  return ((await response.json()) as { affected: number }).affected;
}

const audited = async (): Promise<AuditEntry[]> => auditLogSchema.parse(await getJson('/audit')).data;

const history = async (range: History['range'] = '5m') =>
  historySchema.parse(await getJson(`/history?range=${range}`)).models[MODEL]!;
const snapshot = async () => snapshotSchema.parse(await getJson('/snapshot'));
const known = (column: readonly (number | null)[]) => column.filter((value) => value !== null);

it('the queue fills while no worker is there, empties when one comes, and history tells of both', async () => {
  await embed(api.url, ['a query', 'another']);
  await embed(api.url, ['a query', 'another']);
  await worker.stop();
  const texts = Array.from({ length: 300 }, (_, n) => `waiting ${n}`);
  const job = await acceptJob(api.url, texts);
  const full = await until('the depth is seen', async () => {
    const { models, jobs_active: jobs } = await snapshot();
    const lane = models[0]!.lanes.bulk;
    return jobs === 1 && lane.texts === 300 && lane;
  });
  expect(full).toMatchObject({ waiting: 5, active: 0, failed: 0, paused: false, backlog_seconds: null });
  expect((await snapshot()).models[0]!.verdict).toMatchObject({
    state: 'no-workers',
    reason: '300 texts wait, and no worker is ready to take work.',
    unfinished_texts: 300,
    seconds_left: null,
  });
  // Of a probe, which is no error of the model.
  expect((await fetch(`${api.url}/health/ready`)).status).toBe(503);
  await until('the depth is recorded', async () => (await history()).texts.bulk.includes(300));

  worker = await deployment.worker();
  await completedJob(api.url, job.id);
  const series = await until('the fall is recorded', async () => {
    const now = await history();
    return now.texts.bulk.at(-1) === 0 && sumOf(now.texts_per_second) * 2 >= 302 && now;
  });
  expect(Math.max(...known(series.tasks.bulk))).toBe(5);
  expect(series.backlog_seconds.bulk.at(-1)).toBe(0);
  expect(Math.max(...known(series.cache_hit_ratio))).toBeGreaterThan(0);
  expect(Math.max(...known(series.wait_p99_seconds))).toBeGreaterThan(0);
  for (const fill of known(series.fill)) expect(fill).toBeLessThanOrEqual(1);
  expect(sumOf(series.errors)).toBe(0);
  const verdict = await until('the rest is seen', async () => {
    const [model] = (await snapshot()).models;
    return model!.verdict.state === 'idle' && model!.verdict;
  });
  expect(verdict).toMatchObject({ message: 'Idle', unfinished_texts: 0, backlog_seconds: 0, seconds_left: 0 });
}, 60_000);

function sumOf(column: HistorySeries['errors']): number {
  return known(column).reduce((sum, value) => sum + value, 0);
}

it('a restarted API shows the past', async () => {
  const before = await history('1h');
  await api.kill();
  api = await deployment.api();
  for (const range of ['5m', '1h', '24h'] as const) {
    const after = await history(range);
    expect(Math.max(...known(after.texts.bulk))).toBeGreaterThan(0);
  }
  expect(known((await history('1h')).texts_per_second).length).toBeGreaterThanOrEqual(
    known(before.texts_per_second).length,
  );
  expect((await fetch(`${api.url}/admin/v1/history?range=1y`)).status).toBe(400);
}, 30_000);

it('a killed worker is lost, and nobody counts on it', async () => {
  const doomed = await deployment.worker();
  const find = async (): Promise<WorkerView | undefined> =>
    (await snapshot()).workers.find(({ pid }) => pid === doomed.pid);
  const alive = await until('it is there', find);
  expect(alive).toMatchObject({ state: 'ready', reason: null, models: [{ name: MODEL, dtype: 'fp32' }] });
  await doomed.kill();
  const lost = await until('it is lost', async () => {
    const view = await find();
    return view?.state === 'lost' && view;
  });
  expect(lost.reason).toMatch(/No heartbeat for \d+ s/);
  expect((await snapshot()).models[0]!.ready_workers).toBe(1);

  const dismiss = () => fetch(`${api.url}/admin/v1/workers/${lost.id}`, { method: 'DELETE' });
  expect((await dismiss()).status).toBe(204);
  expect(await find()).toBeUndefined();
  expect((await dismiss()).status).toBe(404);
}, 30_000);

it('snapshots come live, one after the other, and the stream ends with the process', async () => {
  const other = await deployment.api();
  const response = await fetch(`${other.url}/admin/v1/live`);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = '';
  const events = () =>
    [...seen.matchAll(/^event: snapshot\ndata: (.*)\n\n/gm)].map(([, data]) => snapshotSchema.parse(JSON.parse(data!)));
  while (events().length < 3) seen += (await reader.read()).value ?? '';
  expect(seen).toMatch(/^retry: \d+\n\n/);
  const at = events().map((event: Snapshot) => event.at);
  expect(at[2]! - at[1]!).toBeGreaterThan(1);
  expect(at[2]! - at[1]!).toBeLessThan(4);
  const stopped = other.stop(10_000);
  while (!(await reader.read()).done);
  expect(await stopped).toEqual({ code: 0, signal: null });
}, 30_000);

it('failed texts of a job are tried again, once however often that is asked', async () => {
  const texts = Array.from({ length: 100 }, (_, n) => `retry ${n}`);
  for (const at of [3, 70]) texts[at] = POISON_TEXT;
  const { id } = await completedJob(api.url, (await acceptJob(api.url, texts)).id);
  const detail = async (): Promise<AdminJobDetail> => adminJobDetailSchema.parse(await getJson(`/jobs/${id}`));
  const before = await detail();
  expect(before).toMatchObject({ retriable: 2, counts: { failed: 2, done: 98 }, lane: 'bulk', tenant: '', key: null });
  expect(before.failures.data.map(({ code, index }) => [index, code])).toEqual([
    [3, 'inference_failed'],
    [70, 'inference_failed'],
  ]);
  expect(before.timeline.map(({ event }) => event)).toEqual(expect.arrayContaining(['created', 'finished', 'expires']));
  expect(before.slices).toEqual({ texts_each: 1, done: texts.map(() => 1) });

  // Still poisonous.
  const once = await post(`/v1/jobs/${id}/retry`);
  expect(once.status).toBe(202);
  expect(retriedJobSchema.parse(await once.json())).toMatchObject({ id, retried: 2 });
  expect((await completedJob(api.url, id)).counts).toMatchObject({ failed: 2, done: 98, pending: 0 });

  // Now there is a vector for it.
  const cache = connectRedis(deployment.cache.url, 'worker', 'test');
  const key = cacheKeyOf(new Keys('em'), embedOperation, before.spec)(POISON_TEXT);
  await cache.set(key, encodeRow(new Float32Array(32).fill(1), 5, false));
  await act('pause');
  const answers = await Promise.all(Array.from({ length: 3 }, () => post(`/v1/jobs/${id}/retry`)));
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  const retried = (await Promise.all(answers.map((answer) => answer.json()))) as RetriedJob[];
  expect(retried.map((one) => [one.id, one.retried])).toEqual([2, 2, 2].map((texts) => [id, texts]));
  const again = await post(`/v1/jobs/${id}/retry`);
  expect(retriedJobSchema.parse(await again.json())).toMatchObject({ retried: 2, counts: { pending: 2 } });
  expect(await getJob(api.url, id)).toMatchObject({ state: 'running', counts: { failed: 0, done: 98, pending: 2 } });
  const { slices } = await detail();
  expect([slices.done[3], slices.done[4], slices.done[70]]).toEqual([0, 1, 0]);
  await act('resume');
  const job: JobObject = await completedJob(api.url, id);
  expect(job.counts).toMatchObject({ failed: 0, done: 100, pending: 0 });
  await cache.del(key);
  cache.disconnect();

  const nothing = await post(`/v1/jobs/${id}/retry`);
  expect(nothing.status).toBe(409);
  expect(((await nothing.json()) as ApiErrorBody).error.code).toBe('nothing_to_retry');
  expect((await post('/v1/jobs/none/retry')).status).toBe(404);

  const found = async (query: string) =>
    adminJobListSchema.parse(await getJson(`/jobs?${query}`)).data.map((one) => one.id);
  expect(await found(`id=${id.slice(8, 20)}&state=completed&model=${MODEL}`)).toEqual([id]);
  expect(await found(`id=${id}&state=running`)).toEqual([]);
  expect(await found('key=nobody')).toEqual([]);
}, 60_000);

it('a paused lane holds its work, says so to those who wait, and goes on when resumed', async () => {
  const impatient = await deployment.api({ EMBED_WAIT_TIMEOUT_MS: '400' });
  await act('pause', 'interactive');
  await until('it is seen', async () => (await snapshot()).models[0]!.lanes.interactive.paused);
  const [model] = (await snapshot()).models;
  expect(model!.lanes.bulk.paused).toBe(false);
  expect(model!.verdict.state).toBe('paused');
  expect(await (await fetch(`${api.url}/health/ready`)).json()).toMatchObject({
    ready: true,
    paused: [`${MODEL}/interactive`],
  });
  const refused = await postEmbeddings(impatient.url, { model: MODEL, input: 'nobody takes it' });
  expect(refused.status).toBe(504);
  expect(((await refused.json()) as ApiErrorBody).error).toMatchObject({ code: 'lane_paused' });
  await until('the failed request is recorded', async () => sumOf((await history()).errors) > 0);
  const waits = embed(api.url, 'it waits');
  await act('resume', 'interactive');
  expect((await waits).data).toHaveLength(1);
  await impatient.stop();

  const [resumed, paused] = await audited();
  expect(paused).toMatchObject({ action: 'queue.pause', target: `${MODEL}/interactive`, actor: null });
  expect(resumed).toMatchObject({ action: 'queue.resume', request_id: 'by-an-operator' });
}, 30_000);

it('the standard board of BullMQ shows the lanes, and changes nothing', async () => {
  const board = `${api.url}/dashboard/queues`;
  const page = await fetch(`${board}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  const html = await page.text();
  const script = /src="(static\/js\/[^"]+)"/.exec(html)?.[1];
  expect((await fetch(`${board}/${script}`)).status).toBe(200);
  const listed = (await (await fetch(`${board}/api/queues`)).json()) as {
    queues: { name: string; readOnlyMode: boolean; isPaused: boolean }[];
  };
  expect(listed.queues.map(({ name, readOnlyMode }) => [name, readOnlyMode])).toEqual([
    [`{${MODEL}/interactive}`, true],
    [`{${MODEL}/bulk}`, true],
  ]);
  const name = encodeURIComponent(listed.queues[1]!.name);
  const pause = await fetch(`${board}/api/queues/${name}/pause`, { method: 'PUT' });
  expect(pause.status).toBe(405);
  expect((await snapshot()).models[0]!.lanes.bulk.paused).toBe(false);
});

it('the playground tells where the time went, and what the cache had', async () => {
  const play = async (input: string[]): Promise<PlaygroundResponse> => {
    const response = await post('/admin/v1/playground', { model: MODEL, input, dimensions: 8 });
    expect(response.status).toBe(200);
    return playgroundResponseSchema.parse(await response.json());
  };
  const stages = ({ stages }: PlaygroundResponse) => Object.fromEntries(stages.map(({ stage, ms }) => [stage, ms]));
  const long = 'fox '.repeat(100);
  const first = await play(['play', long]);
  expect(first.data.map(({ cached, truncated }) => [cached, truncated])).toEqual([
    [false, false],
    [false, true],
  ]);
  expect(first.stages.map(({ stage }) => stage)).toEqual([
    'lookup',
    'queue',
    'tokenize',
    'batch',
    'inference',
    'reply',
  ]);
  for (const ms of Object.values(stages(first))) expect(ms).toBeGreaterThanOrEqual(0);
  expect(stages(first)['inference']).toBeGreaterThan(0);
  expect(stages(first)['tokenize']).toBeGreaterThan(0);
  expect(first.stages.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(first.total_ms, 3);

  const second = await play(['play', 'a third', long]);
  expect(second.data.map(({ cached }) => cached)).toEqual([true, false, true]);
  expect(second.data[0]!.embedding).toEqual(first.data[0]!.embedding);
  expect(Math.hypot(...second.data[0]!.embedding)).toBeCloseTo(1, 5);
  expect(second.data[0]!.embedding).toHaveLength(8);

  const third = await play(['play', 'a third']);
  expect(third.stages).toEqual([{ stage: 'lookup', ms: third.total_ms }]);

  const refused = await post('/admin/v1/playground', { model: MODEL, input: Array.from({ length: 33 }, () => 'x') });
  expect(refused.status).toBe(400);
});
