import {
  type History,
  historySchema,
  type HistorySeries,
  type Snapshot,
  snapshotSchema,
  type WorkerView,
} from '#contracts';
import { Deployment, MODEL } from '../support/deployment.js';
import { acceptJob, completedJob, embed } from '../support/front-door.js';
import { BERT_VOCAB_SIZE } from '../support/random-model.js';
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
