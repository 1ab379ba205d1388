import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collect } from '../../../test/support/collect.js';
import { until } from '../../../test/support/until.js';
import { EmbedmillClient, type EmbedmillClientOptions } from './client.js';
import { EmbedmillApiError, EmbedmillConnectionError, type EmbedmillError, EmbedmillProtocolError } from './errors.js';
import type { Fetch } from './fetch.js';
import { nodeFetch } from './node.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => {
  return (_, response) => void response.writeHead(status, headers).end(JSON.stringify(body));
};
const MODELS = { object: 'list', data: [] };
const JOB = { object: 'job', id: 'job_1', state: 'completed', finished_at: 1 };

/** A gateway that answers as a deployment does in bad times: one answer for each request, in order. */
describe.each<[string, Fetch | undefined]>([
  ["the platform's fetch", undefined],
  ['nodeFetch', nodeFetch],
])('with %s', (_, fetch) => {
  let server: Server;
  let url: string;
  let answers: Answer[];
  let asked: { line: string; headers: IncomingMessage['headers']; body: string }[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      const seen = { line: `${request.method} ${request.url}`, headers: request.headers, body: '' };
      asked.push(seen);
      request.setEncoding('utf8').on('data', (chunk: string) => (seen.body += chunk));
      const answer = answers.shift();
      // A response that comes before the end of the upload is part of what is tested.
      if (answer === undefined) request.socket.destroy();
      else answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const client = (options: Partial<EmbedmillClientOptions> = {}) =>
    new EmbedmillClient({ baseUrl: `${url}/v1/`, fetch, ...options });

  it('says which prompt the service used', async () => {
    const body = { object: 'list', data: [], model: 'm', usage: { prompt_tokens: 0, total_tokens: 0 } };
    const promptOf = async (headers: Record<string, string>) => {
      answers = [json(body, 200, headers)];
      return (await client().embeddings.create({ model: 'm', input: [], prompt_name: 'p' })).prompt;
    };
    expect(await promptOf({ 'x-embedmill-prompt': 'Retrieval-query' })).toBe('Retrieval-query');
    expect(await promptOf({ 'x-embedmill-prompt': '%E6%A3%80%E7%B4%A2' })).toBe('检索');
    expect(await promptOf({ 'x-embedmill-prompt': 'none' })).toBeNull();
    expect(await promptOf({})).toBeNull();
    expect(JSON.parse(asked[0]!.body)).toMatchObject({ prompt_name: 'p' });
  });

  it('sends key and headers, and asks again as long as the service is away', async () => {
    const waits: (string | null)[] = [];
    answers = [json({}, 503, { 'retry-after': '0' }), (request) => request.socket.destroy(), json(MODELS)];
    const onWait = (reason: EmbedmillError | null) => void waits.push(reason?.name ?? null);
    const made = client({ apiKey: 'em_key', headers: { 'x-request-id': 'nightly' }, retry: { onWait } });
    expect(await made.models.list()).toEqual([]);
    expect(asked.map(({ line }) => line)).toEqual(['GET /v1/models', 'GET /v1/models', 'GET /v1/models']);
    expect(asked[2]!.headers).toMatchObject({ 'authorization': 'Bearer em_key', 'x-request-id': 'nightly' });
    expect(waits).toEqual(['EmbedmillApiError', 'EmbedmillConnectionError', null]);
  });

  it('does not make a key twice', async () => {
    answers = [json({}, 429, { 'retry-after': '0' }), (request) => request.socket.destroy()];
    await expect(client().admin.keys.create({ name: 'a' })).rejects.toThrow(EmbedmillConnectionError);
    expect(asked.map(({ body }) => body)).toEqual(['{"name":"a"}', '{"name":"a"}']);
  });

  it('sends a list again, and what gives texts one by one only once', async () => {
    const passing = json({}, 503, { 'retry-after': '0' });
    answers = [passing, json(JOB, 202)];
    expect(await client().jobs.create({ model: 'a/b', input: ['x', 'y'], normalize: true })).toEqual(JOB);
    expect(asked.map(({ line }) => line)).toEqual(Array(2).fill('POST /v1/jobs?model=a%2Fb&normalize=true'));
    expect(asked.map(({ body }) => body)).toEqual(['"x"\n"y"\n', '"x"\n"y"\n']);
    answers = [passing];
    const error = await client()
      .jobs.create({ model: 'm', input: new Set(['x']) })
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'EmbedmillApiError', status: 503, retryAfterMs: 0 });
  });

  it('stops an upload that is refused, and says why', async () => {
    const refusal = { error: { message: 'Line 1 is bad.', code: 'invalid_line', param: 'line 1' } };
    answers = [json(refusal, 400)];
    let taken = 0;
    let ended = false;
    const endless = (async function* () {
      try {
        for (; ; taken++) {
          yield 'x'.repeat(100_000);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        ended = true;
      }
    })();
    const error = await client()
      .jobs.create({ model: 'm', input: endless })
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'EmbedmillApiError', status: 400, param: 'line 1' });
    const takenThen = taken;
    await until('the texts are let go', () => ended);
    expect(taken - takenThen).toBeLessThan(100);
  });

  it('passes on what the texts themselves throw', async () => {
    answers = [() => {}];
    const broken = (async function* () {
      yield 'a';
      throw new RangeError('the file is damaged');
    })();
    await expect(client().jobs.create({ model: 'm', input: broken })).rejects.toThrow(RangeError);
  });

  it('throws the reason of a signal, also while it waits to ask again', async () => {
    answers = [json({}, 503)];
    const waits = new AbortController();
    const onWait = () => waits.abort(new Error('enough'));
    const made = client({ signal: waits.signal, retry: { onWait } });
    await expect(made.models.list()).rejects.toThrow('enough');
    answers = [() => {}];
    const asks = new AbortController();
    const asking = client().models.list({ signal: asks.signal });
    asks.abort(new Error('never mind'));
    await expect(asking).rejects.toThrow('never mind');
  });

  it('says in time that nothing answers, and that something else does', async () => {
    answers = [() => {}, json({ object: 'list' }), (_, response) => response.end('<html>')];
    const hasty = client({ answerTimeoutMs: 50, retry: { patienceMs: 0 } });
    await expect(hasty.models.list()).rejects.toThrow(`nothing answers at ${url} (not within 0.05 s)`);
    await expect(client().models.list()).rejects.toThrow(`what answers at ${url} is no Embedmill`);
    await expect(client().jobs.get('x')).rejects.toThrow(EmbedmillProtocolError);
  });

  it('says that nothing listens', async () => {
    // Nobody has a connection to it that could break instead.
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const hasty = client({ retry: { patienceMs: 0 } });
    await expect(hasty.jobs.get('x')).rejects.toMatchObject({
      name: 'EmbedmillConnectionError',
      reason: 'ECONNREFUSED',
    });
  });

  it('follows redirects, and gives its key to no other origin', async () => {
    const to =
      (location: string): Answer =>
      (_, response) =>
        void response.writeHead(307, { location }).end();
    answers = [to('/v2'), to(`${url.replace('127.0.0.1', 'localhost')}/v3`), json(MODELS)];
    expect(await client({ apiKey: 'em_key' }).models.list()).toEqual([]);
    expect(asked.map(({ line }) => line)).toEqual(['GET /v1/models', 'GET /v2', 'GET /v3']);
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer em_key', 'Bearer em_key', undefined]);
  });

  it('takes results up again where they broke off', async () => {
    const line = (index: number) => `{"object":"embedding","index":${index},"embedding":null,"error":{"code":"x"}}\n`;
    const broken: Answer = (request, response) => {
      response.write(line(3) + line(4).slice(0, 20));
      setImmediate(() => request.socket.destroy());
    };
    answers = [broken, (_, response) => response.end(line(4) + line(5))];
    const results = await collect(client().jobs.results.each('job_1', { cursor: 3, limit: 3 }));
    expect(results.map(({ index }) => index)).toEqual([3, 4, 5]);
    const query = (cursor: number, limit: number) =>
      `GET /v1/jobs/job_1/results?cursor=${cursor}&limit=${limit}&format=ndjson&encoding_format=base64`;
    expect(asked.map((one) => one.line)).toEqual([query(3, 3), query(4, 2)]);
  });

  it('names the request that was refused', async () => {
    answers = [json({ error: { message: 'No.', code: 'job_not_found' } }, 404, { 'x-request-id': 'r7' })];
    const error = await client()
      .jobs.get('a/b')
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(EmbedmillApiError);
    expect(error).toMatchObject({ code: 'job_not_found', requestId: 'r7', keySent: false });
    expect(asked[0]!.line).toBe('GET /v1/jobs/a%2Fb');
  });
});
