import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { embed, isFinal, jobTaskId, Keys, OPERATIONS, TASK_FORMAT } from '#contracts';
import type { JobTask, ModelCard } from '#contracts';
import { LaneProducer, type LaneTask } from '#queue';
import { connectRedis, JobIndex, JobLedger, ModelRegistry, RedisResults, WorkerRegistry } from '#store';
import { readMetric } from '../../../test/support/metrics.js';
import { makeBertModel } from '../../../test/support/random-model.js';
import { startRedis } from '../../../test/support/redis.js';
import { quickWorker } from '../../../test/support/quick.js';
import { runToExit, type StartOptions, startWorker } from '../../../test/support/services.js';
import { until } from '../../../test/support/until.js';

const keys = new Keys('em');
const folder = await mkdtemp(join(tmpdir(), 'embedmill-worker-'));
const [small, other] = [join(folder, 'small'), join(folder, 'other')];
await makeBertModel(small, { maxTokens: 64 });
await makeBertModel(other, { maxTokens: 64, seed: 2 });
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const workers = new WorkerRegistry(redis, keys);
const models = new ModelRegistry(redis, keys);
/** Quick: silence is noticed after four heartbeats. */
const standIn = quickWorker({ heartbeatMs: 200 });
const environment = {
  REDIS_URL: server.url,
  EMBED_MODELS: `small=${small}`,
  EMBED_MODEL_DIR: join(folder, 'compiled'),
};

afterEach(async () => {
  await redis.flushall();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a worker refuses to start, with one line that says why,', () => {
  const refusal = async (changes: Record<string, string>, options: StartOptions = {}) => {
    const { code, stderr } = await runToExit('worker', { ...environment, ...changes }, options);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    return stderr;
  };

  it('on a setting that makes no sense', async () => {
    expect(await refusal({ EMBED_DEVICE: 'tpu' })).toContain('EMBED_DEVICE=tpu');
  });

  it('on a device that this machine does not have', async () => {
    expect(await refusal({ EMBED_DEVICE: 'cuda' })).toMatch(/cuda/i);
  });

  it('on a model that cannot be had', async () => {
    expect(await refusal({ EMBED_MODELS: `small=${folder}/nowhere` })).toContain('nowhere');
  });

  it('on a token budget below the longest text', async () => {
    expect(await refusal({ EMBED_TOKEN_BUDGET: '63' })).toContain('EMBED_TOKEN_BUDGET=63');
  });

  it('when Redis does not answer for the time it has patience', async () => {
    const impatient = quickWorker({ redisPatienceMs: 300 });
    const line = await refusal({ REDIS_URL: 'redis://127.0.0.1:1' }, { standIn: impatient });
    expect(line).toMatch(/127\.0\.0\.1:1 does not answer .*ECONNREFUSED/);
  });

  it('when the port of its metrics is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    expect(await refusal({ EMBED_METRICS_PORT: String(port) })).toContain(`127.0.0.1:${port}`);
    taken.close();
  });

  it('when another live worker serves the same name in another version', async () => {
    const first = await startWorker(environment, { standIn });
    const line = await refusal({ EMBED_MODELS: `small=${other}` });
    expect(line).toContain('"small" is served in another version');
    expect(line).toContain(`pid ${first.pid}`);
    await first.stop();
  });
});

describe('a worker that is up', () => {
  it('is in the registry with what it serves, announces its models, and serves health and metrics', async () => {
    const worker = await startWorker(environment, { standIn });
    const [record] = await workers.list();
    expect(record).toMatchObject({
      pid: worker.pid,
      state: 'ready',
      device: 'cpu',
      metricsUrl: `${worker.url}/metrics`,
    });
    const card = await models.card('small');
    expect(card).toMatchObject({ name: 'small', maxTokens: 64, operations: { embed: { dimensions: 32 } } });
    expect(record!.models).toEqual({ small: card!.fingerprint });
    expect(await models.tokenizerFiles(card!.fingerprint)).toMatchObject({ tokenizer: { version: '1.0' } });

    expect((await fetch(`${worker.url}/health/live`)).status).toBe(200);
    const ready = await fetch(`${worker.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: 'ok', checks: { taking_tasks: true, redis: true, heartbeat: true } });
    expect(await readMetric(worker.url, 'embedmill_worker_ready')).toBe(1);
    expect((await fetch(`${worker.url}/elsewhere`)).status).toBe(404);
    await worker.stop();
  });

  it('logs which members of the files of a model it goes on without', async () => {
    const odd = join(folder, 'odd');
    await makeBertModel(odd);
    await writeFile(join(odd, 'config_sentence_transformers.json'), JSON.stringify({ odd_member: 16 }));
    const worker = await startWorker({ ...environment, EMBED_MODELS: `odd=${odd}`, LOG_LEVEL: 'warn' });
    expect(worker.output()).toMatch(/"model":"odd".*config_sentence_transformers\.json: odd_member is 16/);
    await worker.stop();
  });

  it('announces itself and its models again when Redis has lost them', async () => {
    const worker = await startWorker(environment, { standIn });
    await redis.flushall();
    await until('the worker is listed again', async () => (await workers.list()).length === 1);
    await until('the model is announced again', () => models.card('small'));
    await worker.stop();
  });

  it('takes over the name from a worker of another version that was killed, once that one has expired', async () => {
    const killed = await startWorker(environment, { standIn });
    await killed.kill();
    const worker = await startWorker({ ...environment, EMBED_MODELS: `small=${other}` }, { standIn });
    expect((await workers.list()).map(({ pid }) => pid)).toEqual([worker.pid]);
    await worker.stop();
  });

  it('finishes what it holds on SIGTERM, leaves the registry and exits with 0', async () => {
    const worker = await startWorker(environment, { standIn });
    const card = (await models.card('small'))!;
    const { jobs, job, queue, close } = await enqueueJob(card, 64);
    await until('the worker has begun', async () => (await jobs.state(job)) === 'running');
    const unfinished = (await jobs.get(job))!;
    expect(await worker.stop()).toEqual({ code: 0, signal: null });

    // What it held is stored, what it did not hold waits for the next worker.
    expect(await queue.getJobCounts('active', 'delayed', 'failed')).toEqual({ active: 0, delayed: 0, failed: 0 });
    expect(await workers.list()).toEqual([]);
    expect((await jobs.get(job))!.done).toBeGreaterThanOrEqual(unfinished.done);
    const next = await startWorker(environment, { standIn });
    await until('the job is completed', async () => isFinal((await jobs.state(job))!));
    const record = (await jobs.get(job))!;
    expect(record).toMatchObject({ state: 'completed', done: record.texts, failed: 0 });
    await close();
    await next.stop();
  });

  it('puts back what it cannot finish in time', async () => {
    const worker = await startWorker({ ...environment, EMBED_DRAIN_MS: '0' }, { standIn });
    const card = (await models.card('small'))!;
    const { jobs, job, queue, close } = await enqueueJob(card, 256);
    await until('the worker has begun', async () => (await jobs.state(job)) === 'running');
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(await queue.getActiveCount()).toBe(0);
    expect(await queue.getWaitingCount()).toBeGreaterThan(0);
    expect((await jobs.get(job))!.failed).toBe(0);
    await close();
  });
});

/** A job of so many tasks of 64 different texts, in the bulk lane. */
async function enqueueJob(card: ModelCard, tasks: number) {
  const results = new RedisResults(redis, keys);
  const jobs = new JobLedger(redis, keys, new JobIndex(redis, keys), results, { ttlSeconds: 600 });
  const connection = connectRedis(server.url, 'worker', 'test');
  const queue = new Queue(keys.queue(card.name, 'bulk'), { connection, prefix: keys.queuePrefix() });
  const job = randomUUID();
  const spec = { operation: embed.name, fingerprint: card.fingerprint, prompt: '', truncate: 'end' } as const;
  const output = { dimensions: null, normalize: true };
  await jobs.create({
    id: job,
    model: card.name,
    spec,
    rowBytes: embed.rowBytes(card),
    output,
    lane: 'bulk',
    tenant: '',
    keyId: null,
  });
  await jobs.accept(job, tasks * 64);
  await jobs.seal(job);
  await new LaneProducer(() => queue, { operations: OPERATIONS, attempts: 3 }).enqueue(
    Array.from({ length: tasks }, (_, unit): LaneTask => ({
      id: jobTaskId(job, unit),
      lane: 'bulk',
      task: taskOf(unit),
    })),
  );
  return {
    jobs,
    job,
    queue,
    close: async () => {
      await queue.close();
      connection.disconnect();
    },
  };

  function taskOf(unit: number): JobTask {
    const positions = Array.from({ length: 64 }, (_, n) => [unit * 64 + n]);
    const inputs = positions.map(([position]) => `${'many words and '.repeat(12)}number ${position}`);
    return {
      kind: 'job',
      v: TASK_FORMAT,
      model: card.name,
      spec,
      inputs,
      acceptedAt: Date.now(),
      jobId: job,
      unit,
      positions,
    };
  }
}
