import { EmbedmillApiError, EmbedmillClient, EmbedmillJobError, requireEveryVector } from '#client';
import { nodeFetch } from '#client/node';
import { collect } from '../support/collect.js';
import { Deployment, MODEL } from '../support/deployment.js';
import { cosine } from '../support/front-door.js';
import { BERT_VOCAB_SIZE, POISON_TEXT } from '../support/random-model.js';
import type { Service } from '../support/services.js';

const DIMENSIONS = 32;
const KEY = 'an-admin-key-of-forty-characters-or-more';

let deployment: Deployment;
let api: Service;
let client: EmbedmillClient;

beforeAll(async () => {
  deployment = await Deployment.start({ embeddingRows: BERT_VOCAB_SIZE - 1 });
  api = await deployment.api({ EMBED_AUTH: 'on', EMBED_ADMIN_KEY: KEY });
  await deployment.worker();
  client = new EmbedmillClient({ baseUrl: api.url, apiKey: KEY, fetch: nodeFetch });
}, 120_000);
afterAll(() => deployment.stop());

function texts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${name} ${n} of many quick brown foxes`);
}

async function errorOf(answer: Promise<unknown>): Promise<EmbedmillApiError> {
  const error = await answer.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(EmbedmillApiError);
  return error as EmbedmillApiError;
}

it('embeddings.create waits for the vectors', async () => {
  const first = await client.embeddings.create({ model: MODEL, input: ['one', 'two', 'one'] });
  expect(first).toMatchObject({ model: MODEL, cached: 0, truncated: [] });
  expect(first.usage.prompt_tokens).toBeGreaterThan(0);
  expect(first.vectors.map(({ length }) => length)).toEqual([DIMENSIONS, DIMENSIONS, DIMENSIONS]);
  expect(first.vectors[2]).toEqual(first.vectors[0]);
  const { cached, truncated, vectors } = await client.embeddings.create({
    model: MODEL,
    input: ['one', 'long '.repeat(2000)],
    dimensions: 8,
    normalize: true,
  });
  expect({ cached, truncated }).toEqual({ cached: 1, truncated: [1] });
  expect(cosine(vectors[0]!, first.vectors[0]!.subarray(0, 8))).toBeCloseTo(1, 5);
  const refused = await errorOf(client.embeddings.create({ model: MODEL, input: ['one', ''] }));
  expect(refused).toMatchObject({ status: 400, code: 'empty_text', param: 'input[1]', keySent: true });
  expect(refused.requestId).not.toBeNull();
});

it('models.list and models.get tell what is served', async () => {
  const [model] = await client.models.list();
  expect(model).toMatchObject({ id: MODEL, dimensions: DIMENSIONS, ready_workers: 1 });
  expect(await client.models.get(MODEL)).toEqual(model);
  expect(await errorOf(client.models.get('none'))).toMatchObject({ status: 404, code: 'model_not_found' });
});

it('jobs: a list or a stream of texts in, vectors out in every form', async () => {
  const input = texts('job', 300);
  const { vectors: expected } = await client.embeddings.create({ model: MODEL, input });
  async function* oneByOne(): AsyncGenerator<string> {
    yield* input;
  }
  for (const source of [input, new Set(input), oneByOne()]) {
    const { id } = await client.jobs.create({ model: MODEL, input: source });
    const seen: number[] = [];
    const job = requireEveryVector(
      await client.jobs.wait(id, { onStatus: ({ counts }) => void seen.push(counts.done) }),
    );
    expect(job).toMatchObject({ id, state: 'completed', counts: { texts: 300, done: 300 } });
    expect(seen.at(-1)).toBe(300);
    expect(await client.jobs.get(id)).toEqual(job);

    const { results } = client.jobs;
    const each = await collect(results.each(id));
    expect(each.map(({ embedding }) => embedding)).toEqual(expected);
    expect(each.map(({ index }) => index)).toEqual(input.map((_, n) => n));
    const floats = await results.vectors(id);
    expect(floats).toHaveLength(300 * DIMENSIONS);
    expect(floats.subarray(DIMENSIONS, 2 * DIMENSIONS)).toEqual(expected[1]);
    expect((await results.vectors(id, { cursor: 299, dimensions: 8 })).length).toBe(8);
    const page = await results.page(id, { cursor: 150, limit: 100, dimensions: 8, normalize: false });
    expect(page.data[0]).toMatchObject({ index: 150, truncated: false, embedding: expected[150]!.subarray(0, 8) });
    expect(page.nextCursor).toBe('250');
    expect((await results.page(id, { cursor: page.nextCursor! })).nextCursor).toBeNull();
    const npy = Buffer.concat(await collect(await results.stream(id, 'npy')));
    expect(npy.subarray(1, 6).toString()).toBe('NUMPY');
    expect(new Uint8Array(npy.subarray(-floats.byteLength))).toEqual(new Uint8Array(floats.buffer));
  }
  const one = await client.jobs.create({ model: MODEL, input: 'one', priority: 'high', truncate: 'error' });
  expect(one).toMatchObject({ priority: 'high', counts: { texts: 1 } });
});

it('jobs.create names the text at fault', async () => {
  const refused = await errorOf(client.jobs.create({ model: MODEL, input: ['fine', ''] }));
  expect(refused).toMatchObject({ status: 400, code: 'empty_text', param: 'line 2' });
  expect(await errorOf(client.jobs.create({ model: 'none', input: 'x' }))).toMatchObject({ code: 'model_not_found' });
});

it('jobs.retry says how many texts it tries again, however fast they are', async () => {
  const input = ['good', POISON_TEXT, 'better', POISON_TEXT];
  const failed = await client.jobs.wait((await client.jobs.create({ model: MODEL, input })).id);
  expect(() => requireEveryVector(failed)).toThrow(EmbedmillJobError);
  expect(() => requireEveryVector(failed)).toThrow('2 of 4 texts failed');
  const [, poisonous] = await collect(client.jobs.results.each(failed.id));
  expect(poisonous).toMatchObject({ index: 1, embedding: null, error: { code: 'inference_failed' } });
  expect([...(await client.jobs.results.vectors(failed.id, { cursor: 1, limit: 1 }))].every(Number.isNaN)).toBe(true);
  expect(await client.jobs.retry(failed.id)).toMatchObject({ id: failed.id, retried: 2 });
  await client.jobs.wait(failed.id);
  const good = await client.jobs.create({ model: MODEL, input: 'good' });
  const seen: string[] = [];
  const final = await client.jobs.wait(good, { onStatus: ({ state }) => void seen.push(state) });
  expect(await client.jobs.wait(final, { onStatus: () => seen.push('again') })).toBe(final);
  expect(seen).not.toContain('again');
  expect(await errorOf(client.jobs.retry(good.id))).toMatchObject({ status: 409, code: 'nothing_to_retry' });
});

it('jobs.list, jobs.all and jobs.cancel', async () => {
  const { id } = await client.jobs.create({ model: MODEL, input: texts('cancelled', 5000) });
  expect(await client.jobs.cancel(id)).toMatchObject({ id, state: 'cancelled' });
  const cancelled = await client.jobs.wait(id);
  expect(() => requireEveryVector(cancelled)).toThrow('the job is cancelled');
  const page = await client.jobs.list({ limit: 2 });
  expect(page).toMatchObject({ has_more: true, data: [{ id }, {}] });
  const ids = (await collect(client.jobs.all({ model: MODEL, pageJobs: 2 }))).map((job) => job.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.slice(0, 2)).toEqual(page.data.map((job) => job.id));
  expect(await collect(client.jobs.all({ state: 'cancelled' }))).toEqual([cancelled]);
  expect(await errorOf(client.jobs.get('none'))).toMatchObject({ status: 404, code: 'job_not_found', param: 'id' });
});

it('health.ready tells of what is missing, too', async () => {
  expect(await client.health.ready()).toMatchObject({ ready: true, models: { [MODEL]: 1 }, missing: [] });
  const other = await deployment.api({ EMBED_AUTH: 'on', EMBED_ADMIN_KEY: KEY, EMBED_MODELS: 'other=npm:none' });
  const { missing, ready } = await new EmbedmillClient({ baseUrl: other.url, apiKey: KEY }).health.ready();
  expect(ready).toBe(false);
  expect(missing.join()).toContain('other');
});

it('admin: snapshot, history, keys and the audit log', async () => {
  const { keys } = client.admin;
  expect(await client.admin.snapshot()).toMatchObject({ redis: 'up', models: [{ name: MODEL }], workers: [{}] });
  expect(await client.admin.history('1h')).toMatchObject({ range: '1h', step_seconds: 30 });
  const made = await keys.create({ name: 'indexer', scopes: ['embed'] });
  const { key, ...shown } = made;
  expect(await keys.list()).toEqual([shown]);
  const theirs = new EmbedmillClient({ baseUrl: api.url, apiKey: key });
  expect((await theirs.embeddings.create({ model: MODEL, input: 'one' })).vectors).toHaveLength(1);
  expect(await errorOf(theirs.admin.snapshot())).toMatchObject({ status: 403, keySent: true });
  expect((await keys.revoke(made.id)).revoked_at).not.toBeNull();
  expect(await errorOf(keys.revoke('none'))).toMatchObject({ status: 404, code: 'key_not_found' });
  const first = await client.admin.audit({ limit: 1 });
  expect(first.data).toMatchObject([{ action: 'key.revoke', target: made.id }]);
  const second = await client.admin.audit({ limit: 1, cursor: first.next_cursor! });
  expect(second.data).toMatchObject([{ action: 'key.create', target: made.id }]);
  expect(await errorOf(new EmbedmillClient({ baseUrl: api.url }).models.list())).toMatchObject({
    status: 401,
    code: 'missing_api_key',
    keySent: false,
  });
});
