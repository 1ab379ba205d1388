import { startCollector } from '../support/collector.js';
import type { Collector, ExportedSpan } from '../support/collector.js';
import { Deployment, MODEL } from '../support/deployment.js';
import { BERT_VOCAB_SIZE, POISON_TEXT } from '../support/random-model.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT = 'b7ad6b7169203331';
const SECRET = 'em_sk_bearer_of_a_client_0123456789abcdef';
const TEXT = 'heron over the reed bed';

const deployment = await Deployment.start({ embeddingRows: BERT_VOCAB_SIZE - 1 });
const collector: Collector = await startCollector();
const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' };
const untraced = { OTEL_EXPORTER_OTLP_ENDPOINT: '' };

afterAll(async () => {
  await deployment.stop();
  await collector.stop();
});

function post(api: Service, path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'authorization': `Bearer ${SECRET}`, ...headers },
    body: JSON.stringify(body),
  });
}

const traceOf = (id: string) => collector.spans().filter(({ traceId }) => traceId === id);
const parent = (traceId: string) => `00-${traceId}-${CLIENT}-01`;

/** Names from the span's topmost ancestor in the trace down to it; the client's own span at the top. */
function pathOf(span: ExportedSpan): string[] {
  if (span.parentSpanId === CLIENT) return ['client', short(span)];
  const above = traceOf(span.traceId).find(({ spanId }) => spanId === span.parentSpanId);
  return above === undefined ? [`nothing: ${span.parentSpanId}`, short(span)] : [...pathOf(above), short(span)];
}

const short = ({ name, service }: ExportedSpan) => `${service.replace('embedmill-', '')}:${name.split(' ')[0]}`;
const pathTo = (traceId: string, name: string) =>
  traceOf(traceId)
    .filter((span) => short(span) === name)
    .map((span) => pathOf(span).join(' > '));

describe('with an endpoint', () => {
  let api: Service;
  let worker: Service;

  beforeAll(async () => {
    [api, worker] = await Promise.all([deployment.api(traced), deployment.worker(traced)]);
  }, 60_000);

  it('continues the client’s trace from the request through the queue to the worker', async () => {
    const response = await post(api, '/v1/embeddings', { model: MODEL, input: TEXT }, { traceparent: parent(TRACE) });
    expect(response.status).toBe(200);
    expect(response.headers.get('traceparent')).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));

    // On a busy machine the API's look into the cache may be too old for the worker, which then looks, too.
    const spans = () => traceOf(TRACE).filter((span) => short(span) !== 'worker:lookup');
    await until('the whole trace is there', () => spans().length === 5);
    const request = 'client > api:POST';
    expect(pathTo(TRACE, 'api:add')).toEqual([`${request} > api:add`]);
    const processed = `${request} > api:add > worker:process`;
    expect(pathTo(TRACE, 'worker:compute')).toEqual([`${processed} > worker:compute`]);
    expect(pathTo(TRACE, 'worker:store')).toEqual([`${processed} > worker:store`]);
    const attributes = (name: string) => traceOf(TRACE).find((span) => short(span) === name)?.attributes;
    expect(attributes('api:POST')).toMatchObject({
      'http.route': '/v1/embeddings',
      'http.response.status_code': 200,
      'embedmill.request_id': response.headers.get('x-request-id'),
    });
    expect(attributes('worker:process')).toMatchObject({
      'embedmill.model': MODEL,
      'embedmill.lane': 'interactive',
      'embedmill.request_id': response.headers.get('x-request-id'),
    });
    expect(attributes('worker:compute')).toMatchObject({ 'embedmill.texts': 1, 'embedmill.tokens': expect.anything() });
  });

  it('carries the trace of a job to each of its tasks, the look into the cache included', async () => {
    const id = 'a'.repeat(32);
    const input = Array.from({ length: 130 }, (_, n) => `${TEXT} ${n}`);
    const response = await post(api, '/v1/jobs', { model: MODEL, input }, { traceparent: parent(id) });
    expect(response.status).toBe(202);
    const lookups = await until('all tasks are traced', () => {
      const paths = pathTo(id, 'worker:lookup');
      return pathTo(id, 'worker:process').length === 3 && paths;
    });
    const tasks = traceOf(id).filter((span) => short(span) === 'worker:process');
    expect(tasks).toHaveLength(3);
    for (const { attributes } of tasks) {
      expect(attributes['embedmill.request_id']).toBe(response.headers.get('x-request-id'));
    }
    expect(new Set(lookups)).toEqual(new Set(['client > api:POST > api:addBulk > worker:process > worker:lookup']));
  });

  it('links requests that share a task to the trace in which it runs', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `c${String(n).padStart(31, '0')}`);
    const answers = await Promise.all(
      ids.map((id, n) =>
        post(api, '/v1/embeddings', { model: MODEL, input: `shared ${n}` }, { traceparent: parent(id) }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const requests = await until('all requests are traced', () => {
      const found = ids.flatMap((id) => traceOf(id).filter((span) => short(span) === 'api:POST'));
      return found.length === ids.length && found;
    });
    const linked = requests.filter(({ links }) => links.length > 0);
    expect(linked.length).toBeGreaterThan(0);
    for (const { links } of linked) {
      expect(links).toHaveLength(1);
      expect(pathTo(links[0]!.traceId, 'api:add')).toHaveLength(1);
    }
    expect(
      requests.filter(({ links, traceId }) => links.length === 0 && pathTo(traceId, 'api:add').length === 0),
    ).toEqual([]);
  });

  it('sends what is left when it ends, and never a text or a key', async () => {
    const id = 'd'.repeat(32);
    const failed = await post(
      api,
      '/v1/embeddings',
      { model: MODEL, input: [POISON_TEXT, TEXT] },
      { traceparent: parent(id), baggage: `note=${TEXT.replaceAll(' ', '%20')}` },
    );
    expect(failed.status).toBe(500);
    expect((await post(api, '/v1/embeddings', { model: MODEL, input: TEXT, truncate: TEXT })).status).toBe(400);
    await Promise.all([api.stop(), worker.stop()]);
    expect(pathTo(id, 'worker:store')).toEqual(['client > api:POST > api:add > worker:process > worker:store']);
    const sent = collector.raw();
    expect(sent).toContain('/v1/traces');
    for (const secret of [TEXT, 'heron', POISON_TEXT, 'shared ', SECRET, 'Bearer']) expect(sent).not.toContain(secret);
    // Nor do the logs, at their default level.
    for (const { output } of [api, worker]) {
      expect(output()).not.toContain(TEXT);
      expect(output()).not.toContain(SECRET);
    }
    // Looking into empty queues has begun no traces.
    expect(
      collector.spans().filter(({ service, parentSpanId }) => service.endsWith('worker') && !parentSpanId),
    ).toEqual([]);
  });
});

it('sends nothing without an endpoint, or with the SDK disabled', async () => {
  const before = collector.connections();
  const [api, worker] = await Promise.all([
    deployment.api(untraced),
    deployment.worker({ ...traced, OTEL_SDK_DISABLED: 'true' }),
  ]);
  const response = await post(api, '/v1/embeddings', { model: MODEL, input: 'unseen' }, { traceparent: parent(TRACE) });
  expect(response.status).toBe(200);
  expect(response.headers.get('traceparent')).toBeNull();
  await Promise.all([api.stop(), worker.stop()]);
  expect(collector.connections()).toBe(before);
}, 60_000);
