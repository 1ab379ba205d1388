import { VERSION, type WorkerRecord } from '#contracts';
import { judgeWorkers } from './judge-workers.js';

const ENVIRONMENT = { EMBED_MODELS: [{ name: 'e5', source: 'e5' }] };

function worker(changes: Partial<WorkerRecord>): WorkerRecord {
  return {
    id: 'w',
    host: 'box',
    pid: 1,
    version: VERSION,
    device: 'cpu',
    state: 'ready',
    reason: null,
    models: { e5: 'f' },
    metricsUrl: null,
    startedAt: 0,
    heartbeatAt: 0,
    tokensPerSecond: 0,
    textsPerSecond: 0,
    fill: null,
    tasksInFlight: { interactive: 0, bulk: 0 },
    memoryBytes: 0,
    ...changes,
  };
}

it.each([
  ['a good one', [worker({})], []],
  ['none', [], ['warn workers: none']],
  [
    'another version',
    [worker({}), worker({ host: 'old', version: '0.0.1' })],
    ['warn workers: version: old runs 0.0.1'],
  ],
  [
    'an unfit one',
    [worker({}), worker({ host: 'sick', state: 'unfit', reason: 'cosine 0.2' })],
    ['fail workers: fitness: sick: cosine 0.2'],
  ],
  ['another model only', [worker({ models: { mine: 'f' } })], ['warn workers: models: no worker is ready for e5']],
  ['one that starts', [worker({ state: 'starting' })], ['warn workers: models: no worker is ready for e5']],
])('of workers: %s', (_, workers, complaints) => {
  const checks = judgeWorkers(workers, ENVIRONMENT).filter(({ status }) => status !== 'ok');
  expect(checks.map(({ found, name, status }) => `${status} ${name}: ${found}`)).toEqual(complaints);
});
