import { connectRedis } from '#store';
import { Deployment, MODEL } from '../support/deployment.js';
import { acceptJob, completedJob, postJob } from '../support/front-door.js';
import { quickApi, quickWorker } from '../support/quick.js';
import { runToExit, type Service } from '../support/services.js';

const deployment = await Deployment.start();
let api: Service;
let worker: Service;

beforeAll(async () => {
  [api, worker] = await Promise.all([deployment.api(), deployment.worker()]);
});
afterAll(() => deployment.stop());

it.each(['api', 'worker'] as const)('the %s writes no password into its log when Redis refuses it', async (kind) => {
  const password = 'a-password-of-redis';
  const REDIS_URL = deployment.queue.url.replace('redis://', `redis://nobody:${password}@`);
  const impatient = { redisPatienceMs: 1000 };
  const standIn = kind === 'api' ? quickApi(impatient) : quickWorker(impatient);
  const { code, stdout, stderr } = await runToExit(kind, { ...deployment.environment, REDIS_URL }, { standIn });
  expect(code).toBe(1);
  expect(stderr).not.toBe('');
  expect(stdout + stderr).not.toContain(password);
});

it('no text stands in a log, even where Redis refuses the commands that carry it', async () => {
  const text = 'a text that is nobody else’s business';
  const job = await acceptJob(api.url, [`${text}, well`]);
  await completedJob(api.url, job.id);

  const redis = connectRedis(deployment.queue.url, 'worker', 'test');
  await redis.config('SET', 'maxmemory', '1');
  const refused = await postJob(api.url, { model: MODEL, input: [`${text}, refused`] });
  await redis.config('SET', 'maxmemory', '0');
  redis.disconnect();
  expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([
    503,
    'queue_unavailable',
  ]);
  expect(api.output() + worker.output()).not.toContain(text);
});
