import { type Readiness, type Snapshot } from '#contracts';
import { Deployment, MODEL } from '../support/deployment.js';
import { acceptJob, completedJob, postEmbeddings } from '../support/front-door.js';
import { faultyWorker } from '../support/faulty-worker-options.js';
import { type Service, startWorker } from '../support/services.js';
import { until } from '../support/until.js';

/** Longest that its device may finish nothing. */
const PATIENCE_MS = 700;
const deployment = await Deployment.start();
let api: Service;

beforeAll(async () => {
  api = await deployment.api();
});
afterAll(() => deployment.stop());

function startFaulty(fault: 'wrong' | 'silent'): Promise<Service> {
  const environment = { ...deployment.environment, EMBED_CANARY_SECONDS: '0.3' };
  const standIn = faultyWorker({ fault, heartbeatMs: 500, selfTestPatienceMs: PATIENCE_MS });
  return startWorker(environment, { standIn });
}

async function workerView() {
  const snapshot = (await (await fetch(`${api.url}/admin/v1/snapshot`)).json()) as Snapshot;
  return snapshot.workers[0];
}

async function readiness(): Promise<Readiness> {
  return (await (await fetch(`${api.url}/health/ready`)).json()) as Readiness;
}

it.each([
  ['wrong', /\d\.\d{4} of the reference's length away/],
  ['silent', /no answer within 0\.7 s/],
] as const)('a worker whose device is %s takes itself out of service, and comes back', async (fault, reason) => {
  const worker = await startFaulty(fault);
  expect((await postEmbeddings(api.url, { model: MODEL, input: `before ${fault}` })).status).toBe(200);
  await until('it is ready', async () => (await readiness()).ready);

  worker.signal('SIGUSR2');
  const view = await until('it says so', async () => {
    const seen = await workerView();
    return seen?.state === 'unfit' && seen;
  });
  expect(view.reason).toMatch(reason);
  expect((await fetch(`${worker.url}/health/ready`)).status).toBe(503);
  const { ready, missing } = await readiness();
  expect(ready).toBe(false);
  expect(missing.join()).toMatch(reason);
  expect(worker.output()).toMatch(reason);
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  expect(metrics).toContain(`embedmill_worker_canary_ok{model="${MODEL}"} 0`);

  // What comes meanwhile waits, and is computed when all is well again.
  const job = await acceptJob(api.url, [`meanwhile ${fault}`]);
  worker.signal('SIGUSR2');
  await until('it is ready again', async () => (await readiness()).ready);
  expect((await completedJob(api.url, job.id)).counts).toMatchObject({ done: 1, failed: 0 });
  await worker.stop();
});

it('gives back the tasks that it holds, so that another worker has them', async () => {
  const faulty = await startFaulty('silent');
  faulty.signal('SIGUSR2');
  const job = await acceptJob(api.url, ['held by one that is silent']);
  await until('it is out of service', async () => (await workerView())?.state === 'unfit');
  const sound = await startWorker(deployment.environment, { standIn: faultyWorker({ fault: 'wrong' }) });
  expect((await completedJob(api.url, job.id)).counts.done).toBe(1);
  await sound.stop();
  await faulty.kill();
});
