import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiErrorBody,
  type JobList,
  type JobObject,
  type JobResult,
  type JobResultsPage,
  jobObjectSchema,
  jobResultsPageSchema,
  Keys,
} from '#contracts';
import { connectRedis, ModelRegistry } from '#store';
import { readMetric } from '../support/metrics.js';
import { makeBertModel } from '../support/random-model.js';
import { startRedis } from '../support/redis.js';
import { type Service, startApi, startWorker } from '../support/services.js';
import { until } from '../support/until.js';

const DIMENSIONS = 32;
const MAX_TOKENS = 64;
const LIMITS = {
  EMBED_MAX_INPUTS: '8',
  EMBED_MAX_TEXT_BYTES: '4096',
  EMBED_MAX_BODY_BYTES: '300000',
  EMBED_MAX_QUEUED_TEXTS: '10000',
};

let api: Service;
let apiSettings: Record<string, string>;
let folder: string;
const started: { stop(): Promise<unknown> }[] = [];

/**
 * Two models: `small` is a real one with a worker, made-up weights. `idle` was announced like it, but no worker takes
 * its tasks: what is sent to it waits.
 */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-model-'));
  await makeBertModel(folder, { layers: 1, hidden: DIMENSIONS, heads: 2, maxTokens: MAX_TOKENS, normalize: true });
  const redis = await startRedis();
  started.push(redis);
  const settings = { REDIS_URL: redis.url, EMBED_MODEL_DIR: join(folder, 'compiled') };
  started.unshift(await startWorker({ ...settings, EMBED_MODELS: `small=${folder}` }));

  const client = connectRedis(redis.url, 'worker', 'test');
  const registry = new ModelRegistry(client, new Keys('em'));
  const card = (await registry.card('small'))!;
  await registry.announce({ ...card, name: 'idle' }, await registry.tokenizerFiles(card.fingerprint));
  client.disconnect();

  apiSettings = { ...settings, ...LIMITS, EMBED_MODELS: `small=${folder},idle=${folder}` };
  api = await startApi(apiSettings);
  started.unshift(api);
}, 120_000);

afterAll(async () => {
  for (const service of started) await service.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a JSON job', () => {
  it('is accepted with 202, found under its Location, and has the vectors that waiting would have given', async () => {
    const input = ['a quick brown fox', 'jumps over', 'a quick brown fox', '你好 世界', 'the lazy dog 42'];
    const response = await postJob({ model: 'small', input });
    expect(response.status).toBe(202);
    const accepted = jobObjectSchema.parse(await response.json());
    const made = { operation: 'embed', model: 'small', priority: 'normal', dimensions: DIMENSIONS };
    expect(accepted).toMatchObject({ object: 'job', ...made });
    expect(accepted.counts.texts).toBe(5);
    expect(response.headers.get('location')).toBe(`/v1/jobs/${accepted.id}`);
    if (accepted.state !== 'completed') expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);

    const job = await finished(accepted.id);
    expect(job).toMatchObject({ state: 'completed', progress: 1, eta_seconds: null, error: null });
    expect(job.counts).toEqual({ texts: 5, done: 5, cached: 0, failed: 0, pending: 0, truncated: 0 });
    expect(job.finished_at).toBeGreaterThanOrEqual(job.created_at);
    expect(job.expires_at).toBeGreaterThan(job.created_at);

    const page = await pageOf(job.id);
    expect(page.data.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    const waited = await embeddings({ model: 'small', input });
    expect(vectorsOf(page.data)).toEqual(waited);
    expect(page.data.reduce((sum, result) => sum + ('tokens' in result ? result.tokens : 0), 0)).toBe(job.tokens);
  });

  it('takes one text, goes through the lane of its priority and has the form it was made with', async () => {
    const job = await done({ model: 'small', input: 'one text', priority: 'high', dimensions: 8, normalize: false });
    expect(job).toMatchObject({ priority: 'high', dimensions: 8, normalize: false, counts: { done: 1 } });
    const [vector] = vectorsOf((await pageOf(job.id)).data);
    expect(vector).toHaveLength(8);
    const [whole] = vectorsOf((await pageOf(job.id, { dimensions: '32' })).data);
    expect(whole!.slice(0, 8)).toEqual(vector);
    expect(Math.hypot(...vectorsOf((await pageOf(job.id, { normalize: 'true' })).data)[0]!)).toBeCloseTo(1, 5);
  });

  it('tells which texts were cut, where the request said so', async () => {
    const long = 'fox '.repeat(MAX_TOKENS);
    const job = await done({ model: 'small', input: ['short', `${long}dog`, `dog ${long}`], truncate: 'start' });
    expect(job.counts.truncated).toBe(2);
    const { data } = await pageOf(job.id);
    expect(data.map((result) => 'truncated' in result && result.truncated)).toEqual([false, true, true]);
    expect(data[1]).toMatchObject({ tokens: MAX_TOKENS });
  });

  it('takes any number of texts that its body has room for, more than a waiting request may have', async () => {
    const input = texts('many', 3001);
    expect((await done({ model: 'small', input })).counts).toMatchObject({ texts: 3001, done: 3001 });
  });

  it('that is wholly cached is completed in the very 202, and nothing is enqueued', async () => {
    const input = texts('cached', 300);
    await done({ model: 'small', input });
    // The same vectors serve other dimensions, another order and the other model name.
    const response = await postJob({ model: 'idle', input: input.toReversed(), dimensions: 4 });
    expect(response.status).toBe(202);
    expect(response.headers.get('retry-after')).toBeNull();
    const job = jobObjectSchema.parse(await response.json());
    expect(job).toMatchObject({ state: 'completed', counts: { texts: 300, done: 300, cached: 300 } });
    expect(await waitingTasks('idle')).toBe(0);
    expect((await pageOf(job.id)).data).toHaveLength(100);
  });
});

describe('an NDJSON job', () => {
  it('takes strings and objects a line, skips blank lines and reads its options from the query', async () => {
    const body = '"first"\r\n\r\n{"input":"second","id":7}\n  \n{"text":"third"}\n"fourth"';
    const response = await upload(body, { model: 'small', dimensions: '16', normalize: 'false', truncate: 'middle' });
    expect(response.status).toBe(202);
    const accepted = jobObjectSchema.parse(await response.json());
    expect(accepted).toMatchObject({ dimensions: 16, normalize: false, counts: { texts: 4 } });
    const job = await finished(accepted.id);
    const input = ['first', 'second', 'third', 'fourth'];
    expect(vectorsOf((await pageOf(job.id)).data)).toEqual(
      await embeddings({ model: 'small', input, dimensions: 16, normalize: false, truncate: 'middle' }),
    );
  });

  it('has the same results as pages, lines, float32 and .npy, several windows and slices long', async () => {
    const input = texts('formats', 2500);
    input[2000] = input[10]!;
    const response = await upload(input.map((text) => JSON.stringify(text)).join('\n'), { model: 'small' });
    const { id } = await finished(((await response.json()) as JobObject).id);

    const ndjson = await textOf(`/v1/jobs/${id}/results`, { accept: 'application/x-ndjson' });
    const results = ndjson
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JobResult);
    expect(results.map(({ index }) => index)).toEqual([...input.keys()]);
    const vectors = vectorsOf(results);
    expect(vectors[2000]).toEqual(vectors[10]);
    expect(vectors[2001]).not.toEqual(vectors[10]);

    const paged: JobResult[] = [];
    for (let cursor: string | null = '0'; cursor !== null;) {
      const page = await pageOf(id, { cursor, limit: '999', encoding_format: 'base64' });
      paged.push(...page.data);
      cursor = page.next_cursor;
    }
    expect(vectorsOf(paged)).toEqual(vectors);

    const flat = await bytesOf(`/v1/jobs/${id}/results?format=f32`);
    expect(flat.length).toBe(2500 * DIMENSIONS * 4);
    expect(rowsOf(flat)).toEqual(vectors);
    const npy = await bytesOf(`/v1/jobs/${id}/results?format=npy`);
    const header = npy.subarray(0, 10 + npy.readUInt16LE(8)).toString('latin1');
    expect(header).toContain("'descr': '<f4', 'fortran_order': False, 'shape': (2500, 32)");
    expect(npy.subarray(header.length)).toEqual(flat);
  });

  it('can be followed while it is still being uploaded', async () => {
    const sending = openUpload({ model: 'small' });
    sending.write(lines(texts('followed', 1024)));
    const id = await receivingJob('small');
    const following = await fetch(`${api.url}/v1/jobs/${id}/results?format=ndjson&encoding_format=base64`);
    const reader = following.body!.pipeThrough(new TextDecoderStream()).getReader();
    let read = '';
    const readUntil = async (count: number) => {
      while (read.split('\n').length <= count) {
        const { value, done: ended } = await reader.read();
        if (ended) break;
        read += value;
      }
    };
    await readUntil(1024);
    expect(await jobOf(id)).toMatchObject({ state: 'receiving', counts: { texts: 1024, done: 1024 } });
    sending.end(lines(texts('followed on', 100)));
    expect((await sending.answer).status).toBe(202);
    await readUntil(Number.POSITIVE_INFINITY);
    const indexes = read
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as JobResult).index);
    expect(indexes).toEqual(Array.from({ length: 1124 }, (_, index) => index));
  });

  it('has an error of its own for each text that is too long to be taken whole', async () => {
    const long = 'fox '.repeat(MAX_TOKENS);
    const response = await upload(lines(['short', long, 'also short', long]), { model: 'small', truncate: 'error' });
    const job = await finished(((await response.json()) as JobObject).id);
    expect(job).toMatchObject({ state: 'completed', counts: { texts: 4, done: 2, failed: 2 } });
    const { data } = await pageOf(job.id);
    expect(data.map(({ embedding }) => embedding === null)).toEqual([false, true, false, true]);
    expect(data[1]).toMatchObject({ error: { code: 'text_too_long', message: expect.stringContaining('66 tokens') } });
    const flat = rowsOf(await bytesOf(`/v1/jobs/${job.id}/results?format=f32`));
    expect(flat[3]!.every(Number.isNaN)).toBe(true);
  });

  it('that breaks at line 7,001 is a partial job: reported, failed, its waiting work taken back', async () => {
    const upTo7000 = texts('partial', 7000);
    const response = await upload(`${lines(upTo7000)}{"input": "never closed\n${lines(['after'])}`, { model: 'idle' });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as ApiErrorBody;
    expect(error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_json', param: 'line 7001' });
    expect(error.message).toMatch(/^Line 7001 is not valid JSON/);
    const id = String(error['job_id']);
    expect(error['accepted']).toBe(6144);
    expect(response.headers.get('location')).toBe(`/v1/jobs/${id}`);
    const job = await jobOf(id);
    expect(job).toMatchObject({ state: 'failed', counts: { texts: 6144, done: 0 } });
    expect(job.error).toEqual({ code: 'invalid_json', message: error.message });
    await until('its tasks have left the queue', async () => (await waitingTasks('idle')) === 0);
  });

  it('that breaks at line 7,001 leaves what was computed in the cache', async () => {
    const upTo7000 = texts('mended', 7000);
    const sending = openUpload({ model: 'small' });
    sending.write(lines(upTo7000));
    const id = await receivingJob('small');
    await until('something is computed', async () => (await jobOf(id)).counts.done >= 1024);
    sending.end('broken\n');
    expect(await (await sending.answer).json()).toMatchObject({ error: { param: 'line 7001', job_id: id } });
    const mended = (await (await upload(lines(upTo7000), { model: 'small' })).json()) as JobObject;
    expect((await finished(mended.id)).counts.cached).toBeGreaterThanOrEqual(1024);
  }, 60_000);

  it.each([
    ['broken JSON', '"a"\nnot json\n', 'line 2', 'invalid_json'],
    ['a line that is no text', '"a"\n\n{"id": 1}\n', 'line 3', 'invalid_line'],
    ['an empty text', '""\n', 'line 1', 'empty_text'],
    ['a text over the limit', `"a"\n${JSON.stringify('é'.repeat(2049))}`, 'line 2', 'text_too_large'],
    ['a line without an end', `"${'x'.repeat(6 * 4096 + 2000)}`, 'line 1', 'line_too_long'],
    ['invalid UTF-8', Buffer.from('"a"\n"caf\xe9"\n', 'latin1'), 'line 2', 'invalid_utf8'],
    ['no text at all', '\n\n', 'input', 'empty_input'],
    ['no body', '', 'input', 'empty_input'],
  ])('with %s among its first lines is refused without a trace', async (_, body, param, code) => {
    const before = await jobCount();
    const response = await upload(body, { model: 'idle' });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String), type: 'invalid_request_error', param, code },
    });
    expect(response.headers.get('location')).toBeNull();
    expect(await jobCount()).toBe(before);
    expect(await waitingTasks('idle')).toBe(0);
  });

  it.each([
    [{ model: 'unknown' }, 404, 'model', 'model_not_found'],
    [{}, 400, 'model', expect.any(String)],
    [{ model: 'idle', truncate: 'sometimes' }, 400, 'truncate', 'invalid_value'],
    [{ model: 'idle', dimensions: '33' }, 400, 'dimensions', 'invalid_dimensions'],
    [{ model: 'idle', dimensions: 'x' }, 400, 'dimensions', 'invalid_value'],
    [{ model: 'idle', normalize: 'perhaps' }, 400, 'normalize', 'invalid_value'],
  ])('with the options %j is refused before its body is read', async (query, status, param, code) => {
    const sending = openUpload(query);
    sending.write('"never ended"\n');
    const response = await sending.answer;
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { param, code } });
    sending.abort();
  });

  it('whose client breaks off is failed as `upload_aborted`', async () => {
    const sending = openUpload({ model: 'idle' });
    sending.write(lines(texts('broken off', 1500)));
    const id = await receivingJob('idle');
    sending.abort();
    await expect(sending.answer).rejects.toThrow();
    const job = await finished(id);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'upload_aborted' }, counts: { texts: 1024 } });
    await until('its tasks have left the queue', async () => (await waitingTasks('idle')) === 0);
  });

  it('that is cancelled meanwhile is not read to its end', async () => {
    const sending = openUpload({ model: 'idle' });
    sending.write(lines(texts('cancelled upload', 1024)));
    const id = await receivingJob('idle');
    expect(await (await cancel(id)).json()).toMatchObject({ id, state: 'cancelled' });
    sending.write(lines(texts('more of it', 1024)));
    const response = await sending.answer;
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ error: { code: 'job_ended', job_id: id, accepted: 1024 } });
    sending.abort();
    await until('its tasks have left the queue', async () => (await waitingTasks('idle')) === 0);
  });

  it('is slowed while the queue is full, and JSON jobs get 429 with a time to come back', async () => {
    const sending = openUpload({ model: 'idle' });
    sending.end(lines(texts('too many', 20_000)));
    const id = await receivingJob('idle');
    const full = await until('the queue is full', async () => {
      const response = await postJob({ model: 'idle', input: 'one more' });
      if (response.status === 429) return response;
      await cancel(((await response.json()) as JobObject).id);
      return null;
    });
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await full.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'queue_full' } });
    const { state, counts } = await jobOf(id);
    expect(state).toBe('receiving');
    expect(counts.texts).toBeLessThan(20_000);
    // Another model has room of its own.
    expect((await postJob({ model: 'small', input: 'one more' })).status).toBe(202);

    await cancel(id);
    expect((await sending.answer).status).toBe(409);
    await until('there is room again', async () => {
      const response = await postJob({ model: 'idle', input: 'one more' });
      await cancel(((await response.json()) as JobObject).id);
      return response.status === 202;
    });
    await until('its tasks have left the queue', async () => (await waitingTasks('idle')) === 0);
  });
});

describe('a JSON job that is not right', () => {
  const long = 'fox '.repeat(MAX_TOKENS);

  it.each([
    ['no input', { model: 'idle' }, 400, 'input'],
    ['a number', { model: 'idle', input: 7 }, 400, 'input'],
    ['a number among texts', { model: 'idle', input: ['a', 7] }, 400, 'input[1]'],
    ['an empty list', { model: 'idle', input: [] }, 400, 'input'],
    ['an empty text', { model: 'idle', input: ['a', 'b', ''] }, 400, 'input[2]'],
    ['a text of too many bytes', { model: 'idle', input: ['a', 'x'.repeat(4097)] }, 400, 'input[1]'],
    ['a text of too many tokens', { model: 'idle', input: ['a', long], truncate: 'error' }, 400, 'input[1]'],
    ['nothing but a text of too many tokens', { model: 'idle', input: [long], truncate: 'error' }, 400, 'input[0]'],
    ['a text of too many tokens, no list', { model: 'idle', input: long, truncate: 'error' }, 400, 'input'],
    ['an unknown model', { model: 'unknown', input: 'a' }, 404, 'model'],
    ['no model', { input: 'a' }, 400, 'model'],
    ['bad dimensions', { model: 'idle', input: 'a', dimensions: 0 }, 400, 'dimensions'],
    ['a bad priority', { model: 'idle', input: 'a', priority: 'now' }, 400, 'priority'],
  ])('%s: refused with the field named and nothing enqueued', async (_, body, status, param) => {
    const before = await jobCount();
    const response = await postJob(body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as ApiErrorBody;
    expect(error).toMatchObject({ type: 'invalid_request_error', param });
    expect(error.message.length).toBeGreaterThan(10);
    expect(await jobCount()).toBe(before);
    expect(await waitingTasks('idle')).toBe(0);
  });

  it.each([
    ['a body that is too large', 'application/json', JSON.stringify('x'.repeat(300_001)), 413],
    ['another content type', 'text/csv', 'a,b', 415],
    ['no JSON', 'application/json', '{', 400],
    ['JSON that is not UTF-8', 'application/json', Buffer.from('{"input":"\xe9"}', 'latin1'), 400],
  ])('%s: refused', async (_, type, body, status) => {
    const response = await fetch(`${api.url}/v1/jobs`, { method: 'POST', headers: { 'content-type': type }, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });
});

describe('a job on its way', () => {
  it('can be cancelled, again and again: its work leaves the queue and those who wait are told', async () => {
    const response = await postJob({ model: 'idle', input: texts('cancelled', 1000) });
    const { id, state, counts } = (await response.json()) as JobObject;
    expect({ state, pending: counts.pending }).toEqual({ state: 'queued', pending: 1000 });
    expect(await waitingTasks('idle')).toBe(Math.ceil(1000 / 64));
    const page = await fetch(`${api.url}/v1/jobs/${id}/results`);
    expect(page.headers.get('retry-after')).toBe('2');
    expect(await page.json()).toMatchObject({ data: [], has_more: true, next_cursor: '0' });
    for (const format of ['f32', 'npy']) {
      const early = await fetch(`${api.url}/v1/jobs/${id}/results?format=${format}`);
      expect(early.status).toBe(409);
      expect(early.headers.get('retry-after')).toBe('2');
      expect(await early.json()).toMatchObject({ error: { code: 'job_not_finished' } });
    }

    const waiting = jobOf(id, { wait: '60' });
    const cancelled = (await (await cancel(id)).json()) as JobObject;
    expect(cancelled).toMatchObject({ id, state: 'cancelled', eta_seconds: null });
    expect(await waiting).toMatchObject({ state: 'cancelled' });
    expect(await (await cancel(id)).json()).toEqual(cancelled);
    await until('its tasks have left the queue', async () => (await waitingTasks('idle')) === 0);
    expect((await pageOf(id)).data[0]).toMatchObject({ embedding: null, error: { code: 'cancelled' } });
  });

  it('is waited for no longer than asked', async () => {
    const { id } = (await (await postJob({ model: 'idle', input: 'waits' })).json()) as JobObject;
    const response = await fetch(`${api.url}/v1/jobs/${id}?wait=0.2`);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await response.json()).toMatchObject({ state: 'queued' });
    const refused = await fetch(`${api.url}/v1/jobs/${id}?wait=61`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { param: 'wait' } });
    await cancel(id);
  });
});

describe('a final job', () => {
  it('stays as it is when it is cancelled', async () => {
    const job = await done({ model: 'small', input: 'stays' });
    const response = await cancel(job.id);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(job);
  });
});

describe('an unknown job', () => {
  it('is 404 everywhere', async () => {
    for (const [method, path] of [
      ['GET', '/v1/jobs/job_none'],
      ['GET', '/v1/jobs/job_none?wait=5'],
      ['DELETE', '/v1/jobs/job_none'],
      ['GET', '/v1/jobs/job_none/results'],
      ['GET', '/v1/jobs/job_none/results?format=npy'],
    ] as const) {
      const response = await fetch(api.url + path, { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: 'job_not_found', param: 'id' } });
    }
  });
});

describe('the list of jobs', () => {
  it('has the newest first, in pages, by state and model', async () => {
    const mine: string[] = [];
    for (let n = 0; n < 5; n++) mine.unshift((await done({ model: 'small', input: `listed ${n}` })).id);
    const first = await list({ model: 'small', state: 'completed', limit: '2' });
    expect(first).toMatchObject({ object: 'list', has_more: true });
    const second = await list({ model: 'small', state: 'completed', limit: '3', cursor: first.next_cursor! });
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(mine);
    const cancelled = await list({ state: 'cancelled', limit: '100' });
    expect(cancelled.data.length).toBeGreaterThan(0);
    expect(new Set(cancelled.data.map(({ state }) => state))).toEqual(new Set(['cancelled']));
  });
});

describe('an API process that shuts down', () => {
  it('answers those who wait, breaks off those who follow a job, and ends well', async () => {
    const other = await startApi(apiSettings);
    const { id } = (await (await postJob({ model: 'idle', input: 'outlives' })).json()) as JobObject;
    const waiting = fetch(`${other.url}/v1/jobs/${id}?wait=60`).then((response) => response.json());
    const following = await fetch(`${other.url}/v1/jobs/${id}/results?format=ndjson`);
    expect((await other.stop(10_000)).code).toBe(0);
    expect(await waiting).toMatchObject({ id, state: 'queued' });
    await expect(following.text()).rejects.toThrow();
    await cancel(id);
  });
});

function texts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${name} number ${n}`);
}

function lines(all: readonly string[]): string {
  return all.map((text) => `${JSON.stringify(text)}\n`).join('');
}

function postJob(body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${api.url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Posts a JSON job and waits until it is final. */
async function done(body: unknown): Promise<JobObject> {
  const response = await postJob(body);
  expect(response.status).toBe(202);
  return finished(((await response.json()) as JobObject).id);
}

function upload(body: string | Buffer, query: Record<string, string>): Promise<Response> {
  const headers = { 'content-type': 'application/x-ndjson' };
  return fetch(`${api.url}/v1/jobs?${search(query)}`, { method: 'POST', headers, body });
}

/** An upload that is written piece by piece. */
function openUpload(query: Record<string, string>) {
  const sending = httpRequest(`${api.url}/v1/jobs?${search(query)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const answer = once(sending, 'response').then(async ([response]) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return new Response(Buffer.concat(chunks), { status: response.statusCode as number });
  });
  answer.catch(() => undefined);
  sending.on('error', () => undefined);
  return {
    answer,
    write: (text: string) => void sending.write(text),
    end: (text: string) => void sending.end(text),
    abort: () => void sending.destroy(),
  };
}

/** The id of the job whose upload is under way. */
function receivingJob(model: string): Promise<string> {
  return until('the upload has become a job', async () => (await list({ model, state: 'receiving' })).data[0]?.id);
}

async function jobOf(id: string, query: Record<string, string> = {}): Promise<JobObject> {
  return jobObjectSchema.parse(JSON.parse(await textOf(`/v1/jobs/${id}?${search(query)}`)));
}

async function finished(id: string): Promise<JobObject> {
  const job = await jobOf(id, { wait: '60' });
  if (job.finished_at === null) throw new Error(`job ${id} is still ${job.state}:\n${api.output()}`);
  return job;
}

function cancel(id: string): Promise<Response> {
  return fetch(`${api.url}/v1/jobs/${id}`, { method: 'DELETE' });
}

async function list(query: Record<string, string>): Promise<JobList> {
  return JSON.parse(await textOf(`/v1/jobs?${search(query)}`)) as JobList;
}

async function jobCount(): Promise<number> {
  let count = 0;
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: JobList = await list({ limit: '100', ...(cursor === '' ? {} : { cursor }) });
    count += page.data.length;
    cursor = page.next_cursor;
  }
  return count;
}

async function pageOf(id: string, query: Record<string, string> = {}): Promise<JobResultsPage> {
  const text = await textOf(`/v1/jobs/${id}/results?${search(query)}`);
  return jobResultsPageSchema.parse(JSON.parse(text));
}

async function embeddings(body: unknown): Promise<number[][]> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${api.url}/v1/embeddings`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { data } = (await response.json()) as { data: { embedding: number[] }[] };
  return data.map(({ embedding }) => embedding);
}

function search(query: Record<string, string>): string {
  return new URLSearchParams(query).toString();
}

async function textOf(path: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(api.url + path, { headers });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.text();
}

async function bytesOf(path: string): Promise<Buffer> {
  const response = await fetch(api.url + path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.length).toBe(Number(response.headers.get('content-length')));
  return bytes;
}

/** `[rows, DIMENSIONS]` of little-endian float32. */
function rowsOf(bytes: Buffer): number[][] {
  const floats = new Float32Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: floats.length / DIMENSIONS }, (_, row) => [
    ...floats.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS),
  ]);
}

function vectorsOf(results: readonly JobResult[]): number[][] {
  return results.map(({ embedding }) => {
    if (embedding === null) throw new Error('a text has no vector');
    return typeof embedding === 'string' ? rowsOf(Buffer.from(embedding, 'base64')).flat() : embedding;
  });
}

/** Tasks of a model that wait in its bulk lane. */
function waitingTasks(model: string): Promise<number> {
  return readMetric(api.url, 'embedmill_queue_tasks', { model, state: 'waiting' });
}
