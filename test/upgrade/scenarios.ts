import { apiKeyObjectSchema, isFinal, jobListSchema, type JobObject, jobObjectSchema } from '#contracts';
import { POISON_TEXT } from '../support/random-model.js';
import { until } from '../support/until.js';
import { Caller } from './caller.js';
import type { KeyName, Name, Recording } from './recording.js';
import { type Release, TASK_TEXTS } from './release.js';

/** Clients of the release: one of an API process without access control, and those with keys. */
export interface Callers {
  readonly open: Caller;
  readonly by: (key: KeyName) => Caller;
}

/** Makes the API keys, and signs in to the dashboard. The keys are valid in the recording's data only. */
export async function makeKeys(url: string, adminKey: string): Promise<Pick<Recording, 'keys' | 'cookie'>> {
  const make = async (caller: Caller, name: KeyName, options: object) => {
    const made = await caller.json('/admin/v1/keys', { name, ...options });
    const { id, key } = apiKeyObjectSchema.required({ key: true }).parse(made);
    return { id, key };
  };
  const operator = await make(new Caller(url, adminKey), 'operator', { scopes: ['admin'] });
  const caller = new Caller(url, operator.key);
  const keys: Recording['keys'] = {
    operator,
    acme: await make(caller, 'acme', { tenant: 'acme', requests_per_minute: 1000, tokens_per_minute: 1_000_000 }),
    salted: await make(caller, 'salted', { tenant: 'salted', cache_salt: 'pepper' }),
    revoked: await make(caller, 'revoked', {}),
    expired: await make(caller, 'expired', { expires_in_seconds: 1 }),
  };
  await caller.expect(`/admin/v1/keys/${keys.revoked.id}`, undefined, { method: 'DELETE' });
  const signedIn = await new Caller(url).expect('/dashboard/session', { key: operator.key });
  return { keys, cookie: signedIn.headers.getSetCookie()[0]!.split(';')[0]! };
}

/** A task is lost with its worker for the eleventh time: the next worker gives it up. The ten before are written in. */
export async function loseTask(release: Release): Promise<void> {
  const worker = await release.slowWorker('finished');
  const api = await release.api({ EMBED_TASK_TEXTS: '64' });
  const texts = numbered('a text that is given up', 64);
  const { id } = await release.submit('givenUp', new Caller(api.url), 'finished', texts);
  await release.redis.hset(`em:q:{finished/bulk}:${id}-0`, 'stc', 10);
  const held = await release.activeTasks('finished');
  await worker.kill();
  await api.kill();
  if (held !== 1) throw new Error('givenUp: the task had ended before its worker was killed; record again');
}

/** Jobs that a worker completes. It must be running. */
export async function finishJobs(release: Release, { open, by }: Callers): Promise<void> {
  const submit = async (scenario: string, texts: readonly string[], model: Name = 'finished') =>
    completed(open, await release.submit(scenario, open, model, texts));
  const plain = numbered('finished', 90);
  const long = 'the lazy dog jumps over '.repeat(20);
  const poisonous = numbered('beside it', 20).with(5, POISON_TEXT).with(17, POISON_TEXT);

  await open.embed('finished', ['a query that is answered', 'another']);
  await submit('finished', [...plain, long, ...plain.slice(0, 10)]);
  await submit('cached', plain.slice(20, 40));
  await submit('poisoned', poisonous);
  await submit('retrying', poisonous);
  await submit('changedFinished', [...numbered('changed and finished', 30), POISON_TEXT], 'changed');
  const shape = { key: 'acme', dimensions: 8, normalize: true } as const;
  await completed(open, await release.submit('shaped', by('acme'), 'finished', numbered('shaped', 20), shape));
  const texts = ['first', long, 'third'];
  await completed(open, await release.upload('tooLong', open, 'finished', texts, 'truncate=error'));
  await until('the lost task is given up', async () => isFinal((await open.job(release.idOf('givenUp'))).state));
  // Last, so that its reply is still there when the recording ends.
  await open.embed('queued', ['asked last']);
}

/** Jobs that wait, of plain callers and of keys, in both lanes, and what operators do to some. No worker may run. */
export async function queueJobs(release: Release, { open, by }: Callers): Promise<void> {
  for (const model of ['queued', 'changed'] as const) {
    await release.submit(model, open, model, numbered(`${model} by nobody`, 40));
    await release.submit(`${model}ByKey`, by('acme'), model, numbered(`${model} by acme`, 40), { key: 'acme' });
    const queries = { key: 'salted', input_type: 'query' } as const;
    await release.submit(`${model}Queries`, by('salted'), model, numbered(`${model} by salted`, 20), queries);
    await release.submit(`${model}High`, open, model, numbered(`${model} high`, 20), { priority: 'high' });
  }
  // Ten texts of each are in the cache.
  const known = numbered('finished', 10);
  await release.submit('queuedPartly', open, 'queued', [...known, ...numbered('queued partly', 20)]);
  const knownOfChanged = numbered('changed and finished', 10);
  await release.submit('changedPartly', open, 'changed', [...knownOfChanged, ...numbered('changed partly', 20)]);

  const operator = by('operator');
  await operator.act('pause', 'paused');
  await release.submit('paused', open, 'paused', numbered('paused by nobody', 20));
  await release.submit('pausedByKey', by('acme'), 'paused', numbered('paused by acme', 20), { key: 'acme' });

  const cancelled = await release.submit('cancelled', open, 'queued', numbered('cancelled', 20));
  await operator.expect(cancelled.links.self, undefined, { method: 'DELETE' });
  await operator.expect(`/v1/jobs/${release.idOf('retrying')}/retry`, {});
}

/** A worker is killed in the middle of a job: some units are counted, some are active without a worker, the rest wait. */
export async function killMidJob(release: Release, open: Caller, scenario: string, model: Name): Promise<void> {
  const worker = await release.slowWorker(model);
  const texts = numbered(`${model} the quick brown fox jumps over the lazy dog`, 240);
  const { id } = await release.submit(scenario, open, model, texts);
  const isMidway = async () =>
    Number(await release.redis.hget(`em:job:{${id}}`, 'done')) >= 24 && (await release.activeTasks(model)) > 0;
  await until(`${scenario} is midway`, isMidway, { everyMs: 0 });
  await worker.kill();
  const { counts, state } = await open.job(id);
  const active = await release.activeTasks(model);
  if (state === 'running' && counts.pending >= 24 && active > 0) return;
  throw new Error(`${scenario} is ${state} with ${counts.done} texts done and ${active} active tasks; record again`);
}

/** A job whose record expires while its tasks wait. @returns its id */
export async function expireJob(release: Release, open: Caller): Promise<string> {
  const api = await release.api({ EMBED_JOB_TTL_SECONDS: '10' });
  const body = { model: 'queued', input: numbered('expired', 20) };
  const { id } = jobObjectSchema.parse(await new Caller(api.url).json('/v1/jobs', body));
  await api.kill();
  await until('the job is gone', async () => (await open.send(`/v1/jobs/${id}`)).status === 404);
  return id;
}

/** Three requests wait in two tasks; the client of one disconnects, then their API process is killed. */
export async function leaveRequests(release: Release): Promise<void> {
  const api = await release.api({ EMBED_WAIT_TIMEOUT_MS: '5000', EMBED_COALESCE_MS: '100' });
  const caller = new Caller(api.url);
  const client = new AbortController();
  const ask = async (text: string, signal?: AbortSignal) => {
    await caller
      .send('/v1/embeddings', { model: 'queued', input: [text] }, signal && { signal })
      .catch(() => undefined);
  };
  const waiting = [ask('waits alone'), ask('waits with another'), ask('leaves', client.signal)];
  // A job with priority waits in the same lane.
  const others = Math.ceil(release.textsOf('queuedHigh').length / TASK_TEXTS);
  const queued = () => release.redis.llen('em:q:{queued/interactive}:wait');
  await until('two tasks of requests wait', async () => (await queued()) === others + 2);
  client.abort();
  await until('a text is dropped', async () => (await release.redis.keys('em:dropped:*')).length > 0);
  await api.kill();
  await Promise.all(waiting);
}

/** An NDJSON upload whose API process is killed after the first window of texts. */
export async function breakUpload(release: Release, open: Caller): Promise<void> {
  const api = await release.api({ EMBED_TASK_TEXTS: '64' });
  const lines = numbered('half received', 1100).map((text) => `${JSON.stringify(text)}\n`);
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(lines.join(''))) });
  const how = { method: 'POST', body, headers: { 'content-type': 'application/x-ndjson' }, duplex: 'half' } as const;
  const upload = new Caller(api.url).send('/v1/jobs?model=receiving', undefined, how).catch(() => undefined);
  const { id } = await until('a window is accepted', async () => {
    const [job] = jobListSchema.parse(await open.json('/v1/jobs?model=receiving')).data;
    return job?.counts.texts === 1024 && (await release.redis.llen('em:q:{receiving/bulk}:wait')) === 16 && job;
  });
  release.submitted['receiving'] = { id, texts: [], key: null };
  await api.kill();
  await upload;
}

function completed(open: Caller, { id }: JobObject): Promise<boolean> {
  return until(`job ${id} is final`, async () => isFinal((await open.job(id)).state));
}

function numbered(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${what} ${n}`);
}
