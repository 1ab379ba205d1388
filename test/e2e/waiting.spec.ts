import type { ApiErrorBody, EmbeddingsResponse, Readiness } from '#contracts';
import { Deployment, MODEL } from '../support/deployment.js';
import { embed, postEmbeddings } from '../support/front-door.js';
import { readMetric } from '../support/metrics.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

/** Requests that wait while no worker is there to answer them. */
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
  // It announces the model, and leaves.
  await (await deployment.worker()).stop();
}, 60_000);

afterAll(() => deployment.stop());

const ask = (api: Service, input: string | string[], signal?: AbortSignal) =>
  postEmbeddings(api.url, { model: MODEL, input }, signal);
const waiting = (api: Service) => readMetric(api.url, 'embedmill_request_waiting_texts');
const queued = (api: Service) => readMetric(api.url, 'embedmill_queue_tasks', { lane: 'interactive' });

it('that wait too long are told so, and their work leaves the queue', async () => {
  const api = await deployment.api({ EMBED_WAIT_TIMEOUT_MS: '500' });
  const answer = await ask(api, 'nobody comes');
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([504, '5']);
  const { error } = (await answer.json()) as ApiErrorBody;
  expect(error).toMatchObject({ type: 'server_error', code: 'wait_timeout', param: null });
  expect(error.message).toMatch(/500 ms.*EMBED_WAIT_TIMEOUT_MS.*POST \/v1\/jobs/);
  await until('its task is gone', async () => (await queued(api)) === 0);
  expect(await waiting(api)).toBe(0);
});

it('that are too many are sent away with a time to come again', async () => {
  const api = await deployment.api({ EMBED_MAX_WAITING_TEXTS: '4' });
  const client = new AbortController();
  const first = ask(api, ['a', 'b', 'c', 'c'], client.signal).catch((error: Error) => error.name);
  await until('the first waits', async () => (await waiting(api)) === 3);
  const second = await ask(api, ['d', 'e']);
  expect([second.status, Number(second.headers.get('retry-after'))]).toEqual([429, 5]);
  const { error } = (await second.json()) as ApiErrorBody;
  expect(error).toMatchObject({ type: 'rate_limit_error', code: 'too_many_waiting' });
  expect(error.message).toMatch(/3 texts .* 2 more .* 4 \(EMBED_MAX_WAITING_TEXTS\)/);
  client.abort();
  expect(await first).toBe('AbortError');
  await until('nobody waits', async () => (await waiting(api)) === 0);
  // A client that leaves is no fault of the service.
  expect(api.output()).not.toMatch(/"level":(40|50|60)/);
});

it('are answered by a process that has been told to end, and it ends then', async () => {
  const api = await deployment.api();
  const asked = [ask(api, 'one'), ask(api, ['two', 'three'])];
  await until('both wait', async () => (await waiting(api)) === 3);
  api.signal('SIGTERM');
  await until('it takes no more connections', () =>
    fetch(`${api.url}/health/live`).then(
      () => false,
      () => true,
    ),
  );
  const worker = await deployment.worker();
  const answers = await Promise.all(asked);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as EmbeddingsResponse[];
  expect(bodies.map(({ data }) => data.length)).toEqual([1, 2]);
  expect(await api.exited).toEqual({ code: 0, signal: null });
  await worker.stop();
}, 60_000);

it('learn within seconds that Redis hangs, and so do probes and Prometheus', async () => {
  const api = await deployment.api();
  const worker = await deployment.worker();
  await embed(api.url, 'warm');
  process.kill(deployment.queue.pid, 'SIGSTOP');
  try {
    const [ready, snapshot, up, asked] = await Promise.all([
      fetch(`${api.url}/health/ready`),
      fetch(`${api.url}/admin/v1/snapshot`),
      readMetric(api.url, 'embedmill_redis_up'),
      ask(api, 'into the void'),
    ]);
    expect([ready.status, (await ready.json()) as Readiness]).toEqual([
      503,
      expect.objectContaining({ ready: false, redis: 'down' }),
    ]);
    expect(up).toBe(0);
    expect(await snapshot.json()).toMatchObject({ redis: 'down', models: [], workers: [] });
    expect([asked.status, asked.headers.get('retry-after')]).toEqual([503, '2']);
    expect(((await asked.json()) as ApiErrorBody).error.code).toBe('queue_unavailable');
  } finally {
    process.kill(deployment.queue.pid, 'SIGCONT');
  }
  await until('it is ready again', async () => (await fetch(`${api.url}/health/ready`)).ok);
  await embed(api.url, 'after all');
  await worker.stop();
}, 60_000);
