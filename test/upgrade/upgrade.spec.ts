import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type ApiErrorBody, auditLogSchema, isFinal, type JobObject, jobListSchema } from '#contracts';
import { cosine } from '../support/front-door.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { runToExit, type Service, type ServiceEnvironment, startApi, startWorker } from '../support/services.js';
import { until } from '../support/until.js';
import { Caller, floatsOf } from './caller.js';
import { type KeyName, NAMES, readRecording, RECORDED, type RecordedJob, recordingFolder } from './recording.js';
import { restore } from './restore.js';

/** This version on data of an older one. The tests depend on their order: a worker starts after the first group. */
const recording = await readRecording('0.1.0');
const { jobs } = recording;
/** Cosine of two computations of one vector; other weights give far less. */
const SAME = 0.99999;

let server: RedisServer;
let scratch: string;
let environment: ServiceEnvironment;
let api: Service;
let worker: Service;
let operator: Caller;
/** With a cache salt of its own: what it asks for is computed by this version. */
let fresh: Caller;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'embedmill-upgrade-'));
  server = await restore(recording);
  environment = {
    REDIS_URL: server.url,
    EMBED_MODELS: NAMES.map((name) => `${name}=${join(recordingFolder('0.1.0'), RECORDED.model)}`).join(','),
    EMBED_MODEL_DIR: scratch,
    EMBED_AUTH: 'on',
    EMBED_LOCK_MS: '1500',
  };
  api = await startApi(environment);
  operator = as('operator');
}, 60_000);

afterAll(async () => {
  await Promise.all([api, worker].map((service) => service?.kill()));
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

function as(name: KeyName): Caller {
  return new Caller(api.url, recording.keys[name].key);
}

function named(name: string): RecordedJob {
  const found = jobs[name];
  if (found === undefined) throw new Error(`the recording has no job "${name}"`);
  return found;
}

function final(name: string, patienceMs = 30_000): Promise<JobObject> {
  const { id } = named(name).job;
  return until(
    `"${name}" is final`,
    async () => {
      const job = await operator.job(id);
      return isFinal(job.state) && job;
    },
    { everyMs: 100, patienceMs },
  );
}

/** Vectors that this version gives for a job's texts, `[texts, dimensions]`, and the tokens of all of them. */
function computedAnew({ job, texts, inputType }: RecordedJob): Promise<{ vectors: Float32Array[]; tokens: number }> {
  return fresh.embed(job.model, texts, inputType === undefined ? {} : { input_type: inputType });
}

/** Every text has one vector, and it is this version's; those that the recording has are as they were. */
async function expectComplete(name: string): Promise<void> {
  const recorded = named(name);
  const job = await final(name);
  const { texts } = recorded.job.counts;
  expect({ name, state: job.state, counts: job.counts }).toMatchObject({
    state: 'completed',
    counts: { texts, done: texts, failed: 0, pending: 0 },
  });
  const [vectors, anew] = await Promise.all([operator.vectors(job), computedAnew(recorded)]);
  const wrong = vectors.flatMap((vector, n) => (cosine(vector, anew.vectors[n]!) >= SAME ? [] : [n]));
  expect({ name, wrong }).toEqual({ name, wrong: [] });
  expect({ name, tokens: job.tokens }).toEqual({ name, tokens: anew.tokens });
  expectKept(recorded, vectors);
}

/** The old version's rows stand, the other texts are reported, and no row is this version's. */
async function expectReported(name: string): Promise<void> {
  const recorded = named(name);
  const job = await final(name);
  const { texts, done } = recorded.job.counts;
  expect(done).toBeGreaterThan(0);
  expect({ name, state: job.state, counts: job.counts }).toMatchObject({
    state: 'completed',
    counts: { texts, done, failed: texts - done, pending: 0 },
  });
  const [{ rows, errors }, vectors, anew] = await Promise.all([
    operator.settled(job),
    operator.vectors(job),
    computedAnew(recorded),
  ]);
  expect(rows).toEqual(recorded.rows);
  expect(new Set(errors.map(([, code]) => code))).toEqual(new Set(['model_changed']));
  const mixed = Object.keys(rows).filter((n) => cosine(vectors[Number(n)]!, anew.vectors[Number(n)]!) >= SAME);
  expect({ name, mixed }).toEqual({ name, mixed: [] });
  expectKept(recorded, vectors);
}

function expectKept({ rows }: RecordedJob, vectors: readonly Float32Array[]): void {
  for (const [index, row] of Object.entries(rows)) {
    expect([index, vectors[Number(index)]]).toEqual([index, floatsOf(row)]);
  }
}

describe('before a worker starts', () => {
  it('every job is listed with the counts it had, and one that has expired is not', async () => {
    const listed = jobListSchema.parse(await operator.json('/v1/jobs?limit=100')).data;
    const seen = new Map(listed.map((job) => [job.id, job]));
    for (const [name, { job }] of Object.entries(jobs)) {
      const { counts, dimensions, model, normalize, priority, tokens } = job;
      expect({ name, ...seen.get(job.id) }).toMatchObject({
        ...{ name, counts, dimensions, model, normalize, priority, tokens },
        ...{ created_at: job.created_at, started_at: job.started_at },
        // A broken upload fails when it is first read, which changes both.
        ...(job.state === 'receiving' ? {} : { state: job.state, expires_at: job.expires_at }),
      });
    }
    expect(seen.size).toBe(Object.keys(jobs).length);
    expect((await operator.send(`/v1/jobs/${recording.expiredJob}`)).status).toBe(404);
  });

  it('finished jobs have the results they had, byte for byte', async () => {
    const finished = Object.entries(jobs).filter(([, { sha256 }]) => sha256 !== null);
    expect(finished.length).toBeGreaterThanOrEqual(8);
    for (const [name, { job, sha256, rows, errors }] of finished) {
      const { rows: all, errors: all_errors } = await operator.settled(await operator.job(job.id));
      expect({ name, errors: all_errors, sha256: await operator.digest(job) }).toEqual({ name, errors, sha256 });
      expect(all).toMatchObject(rows);
    }
  });

  it('an upload without an API process has failed, and the job says why', async () => {
    // At once, unless the recording is less than a minute old.
    const job = await final('receiving', 70_000);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'upload_aborted' } });
    expect(job.counts).toMatchObject({ texts: 1024, done: 0 });
  }, 80_000);

  it('API keys are accepted, refused and limited to their jobs as before', async () => {
    const codeOf = async (name: KeyName) => {
      const response = await as(name).send('/v1/models');
      return response.ok ? response.status : ((await response.json()) as ApiErrorBody).error.code;
    };
    expect([await codeOf('operator'), await codeOf('acme'), await codeOf('salted')]).toEqual([200, 200, 200]);
    expect([await codeOf('revoked'), await codeOf('expired')]).toEqual(['api_key_revoked', 'api_key_expired']);

    const { data } = jobListSchema.parse(await as('acme').json('/v1/jobs?limit=100'));
    const own = Object.values(jobs).filter(({ key }) => key === 'acme');
    expect(data.map(({ id }) => id).sort()).toEqual(own.map(({ job }) => job.id).sort());
    expect((await as('acme').send(`/v1/jobs/${named('queued').job.id}`)).status).toBe(404);

    const signedIn = new Caller(api.url).json('/dashboard/session', undefined, {
      headers: { cookie: recording.cookie },
    });
    expect(await signedIn).toMatchObject({ signed_in: true, key_name: 'operator' });
  });

  it('operators find the audit log, the history and the paused lane', async () => {
    expect(auditLogSchema.parse(await operator.json('/admin/v1/audit')).data).toEqual(recording.audit);
    expect(recording.audit.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['key.create', 'key.revoke', 'session.create', 'queue.pause', 'job.cancel', 'job.retry']),
    );
    for (const range of ['5m', '1h', '24h'] as const) {
      expect(recording.history[range].texts).toBeGreaterThan(0);
      const history = await operator.history(range, 'finished');
      expect({ range, ...history }).toEqual({ range, ...recording.history[range] });
    }
    const { models, redis } = await operator.snapshot();
    expect(redis).toBe('up');
    expect(models.map(({ name, fingerprint }) => [name, fingerprint])).toEqual(Object.entries(recording.fingerprints));
    expect(models.filter(({ lanes }) => lanes.bulk.paused).map(({ name }) => name)).toEqual(['paused']);
  });
});

describe('with a worker', () => {
  beforeAll(async () => {
    worker = await startWorker(environment);
    const { key } = (await operator.json('/admin/v1/keys', { name: 'fresh', cache_salt: 'fresh' })) as { key: string };
    fresh = new Caller(api.url, key);
    await until('every model is served', async () =>
      (await operator.snapshot()).models.every(({ ready_workers: ready }) => ready === 1),
    );
  }, 60_000);

  it('the same model files have the same fingerprint', async () => {
    // If this fails on purpose, "running" in this recording is a job of a replaced model, and its test cannot pass: it
    // needs a recording of a release that has this version's fingerprints.
    const { models } = await operator.snapshot();
    const fingerprint = (name: string) => models.find((model) => model.name === name)?.fingerprint;
    expect(fingerprint('finished')).toBe(recording.fingerprints['finished']);
    expect(fingerprint('changed')).toBe(recording.fingerprints['finished']);
    expect(fingerprint('changed')).not.toBe(recording.fingerprints['changed']);
  });

  it('queued jobs complete, every text counted once', async () => {
    for (const name of ['queued', 'queuedByKey', 'queuedQueries', 'queuedHigh', 'queuedPartly']) {
      await expectComplete(name);
    }
  });

  it('a running job completes, with the tasks that the killed worker held', async () => {
    expect(named('running').job.counts.done).toBeGreaterThan(0);
    expect(named('running').job.counts.pending).toBeGreaterThan(0);
    await expectComplete('running');
  });

  it('failed texts can be retried, and a retry requested before the upgrade completes', async () => {
    await operator.expect(`/v1/jobs/${named('poisoned').job.id}/retry`, {});
    for (const name of ['poisoned', 'retrying']) {
      const job = await final(name);
      const counts = { ...named(name).job.counts, failed: 2, pending: 0 };
      expect({ name, state: job.state, counts: job.counts }).toEqual({ name, state: 'completed', counts });
      const { errors } = await operator.settled(job);
      expect(errors).toEqual(named('poisoned').errors);
      expectKept(named(name), await operator.vectors(job));
    }
    // Not with other weights.
    const response = await operator.send(`/v1/jobs/${named('changedFinished').job.id}/retry`, {});
    expect(((await response.json()) as ApiErrorBody).error.code).toBe('model_changed');
  });

  it('an operator can retry a task that was given up', async () => {
    const lane = { model: 'finished', lane: 'bulk' };
    const [finished] = (await operator.snapshot()).models;
    expect(finished).toMatchObject({ name: 'finished', lanes: { bulk: { failed: 1 } } });
    expect(named('givenUp').errors.map(([, code]) => code)).toEqual(Array.from({ length: 64 }, () => 'task_failed'));
    const again = await operator.json('/admin/v1/queues/actions', { ...lane, action: 'retry-failed' });
    expect(again).toEqual({ affected: 1 });
    await expectComplete('givenUp');
  });

  it('a half-done job of a replaced model keeps its rows, and the rest is reported', async () => {
    for (const name of ['changedRunning', 'changedPartly']) await expectReported(name);
  });

  it('cached rows of a replaced model are not served', async () => {
    for (const name of ['finished', 'changedFinished']) {
      const recorded = named(name);
      const texts = recorded.texts.slice(0, 20);
      const { vectors } = await operator.embed(recorded.job.model, texts);
      const anew = await computedAnew({ ...recorded, texts });
      expect(vectors.every((vector, n) => cosine(vector, anew.vectors[n]!) >= SAME)).toBe(true);
    }
  });

  it('a paused lane holds its work until it is resumed', async () => {
    for (const name of ['paused', 'pausedByKey']) {
      expect(await operator.job(named(name).job.id)).toMatchObject({ state: 'queued', counts: { done: 0 } });
    }
    await operator.act('resume', 'paused');
    for (const name of ['paused', 'pausedByKey']) await expectComplete(name);
  });

  it('the lanes are empty: tasks of dead requests and of ended jobs were dropped', async () => {
    await until('all lanes are empty', async () => {
      const { jobs_active: active, models } = await operator.snapshot();
      const lanes = models.flatMap(({ lanes }) => [lanes.bulk, lanes.interactive]);
      return active === 0 && lanes.every((lane) => lane.waiting + lane.active + lane.delayed + lane.texts === 0);
    });
    expect(await operator.job(named('receiving').job.id)).toMatchObject({ state: 'failed', counts: { done: 0 } });
    expect(await operator.job(named('cancelled').job.id)).toMatchObject({ state: 'cancelled', counts: { done: 0 } });
  });
});

describe('a replaced model or format', () => {
  it('a job of a replaced model of which nothing was done is computed by the present one', async () => {
    for (const name of ['changed', 'changedByKey', 'changedQueries', 'changedHigh']) await expectComplete(name);
  });

  it('data of a newer version is refused in one line that says what to do', async () => {
    const newer = await startRedis({ aof: true });
    try {
      const redis = new Redis(newer.url);
      await redis.set('em:schema', '999');
      redis.disconnect();
      for (const kind of ['api', 'worker'] as const) {
        const { code, stderr } = await runToExit(
          kind,
          { ...environment, REDIS_URL: newer.url },
          { patienceMs: 20_000 },
        );
        expect([kind, code, stderr.trimEnd().split('\n').length]).toEqual([kind, 1, 1]);
        expect(stderr).toMatch(/\b999\b/);
        expect(stderr).toMatch(/(newest|up to|knows|reads)\D{0,40}\d+/i);
        expect(stderr).toMatch(/\b(run|start|use|install|upgrade|update)\b/i);
      }
    } finally {
      await newer.stop();
    }
  }, 60_000);
});
