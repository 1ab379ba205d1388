/**
 * Entry of a worker whose device can be made to fail, for tests of what a worker does about it: everything else is the
 * worker's own. Its argument says how, SIGUSR2 begins it and ends it again.
 */
import { NestFactory } from '@nestjs/core';
import { readEnvironment } from '#config';
import { type Device, Engine, SimulatedDevice } from '#inference';
import { loadModel, TokenizerThread } from '#model';
import { boot } from '../../apps/worker/src/boot.js';
import { drain } from '../../apps/worker/src/drain.js';
import { createLog } from '../../apps/worker/src/operation/log.js';
import type { ModelSource } from '../../apps/worker/src/process/model-source.js';
import { WorkerModule } from '../../apps/worker/src/worker.module.js';

type Fault = 'wrong' | 'silent';

const fault = process.argv[2] as Fault;
const environment = readEnvironment();
const log = createLog(environment.LOG_LEVEL);
let failing = false;
let wake: () => void = () => {};

/** Right by its own standards, until it is told otherwise. */
function faulty(device: SimulatedDevice): Device {
  return {
    dimensions: device.dimensions,
    description: 'faulty',
    restarts: 0,
    withdraw: (batch) => device.withdraw(batch),
    close: () => device.close(),
    async run(batch) {
      if (failing && fault === 'silent') await new Promise<void>((resolve) => (wake = resolve));
      const result = await device.run(batch);
      if (failing) result.vectors.reverse();
      return result;
    },
  };
}

const source: ModelSource = {
  load: (served) =>
    loadModel(served, {
      modelDir: environment.EMBED_MODEL_DIR,
      hfEndpoint: environment.HF_ENDPOINT,
      dtype: 'fp32',
      device: 'cpu',
    }),
  start: async (model) =>
    new Engine({
      tokenizer: await TokenizerThread.start(model.tokenizerFiles),
      device: faulty(new SimulatedDevice({ dimensions: model.card.dimensions, batchMs: 1, tokenMs: 0.01 })),
      maxTokens: model.card.maxTokens,
      tokenBudget: 1024,
      maxRows: 64,
      lookaheadTexts: 256,
      bulkShare: 0.2,
    }),
};

const app = await NestFactory.createApplicationContext(WorkerModule.for(environment, log, source), {
  logger: false,
  abortOnError: false,
});
process.on('SIGUSR2', () => {
  failing = !failing;
  if (!failing) wake();
});
const parts = await boot(app, environment, log);
process.on('SIGTERM', () => void drain(parts).then(() => process.exit(0)));
console.log(`embedmill worker ready: faulty on nothing, metrics ${parts.health.url}/metrics`);
