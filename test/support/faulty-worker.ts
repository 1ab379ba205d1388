/**
 * Entry of a worker whose device can be made to fail, for tests of what a worker does about it: everything else is the
 * worker's own. Its argument says how, SIGUSR2 begins it and ends it again.
 */
import { readEnvironment } from '#config';
import { embedCard } from '#contracts';
import { type Device, Engine } from '#inference';
import { SimulatedDevice } from '#inference/testing';
import { loadModel, TokenizerThread } from '#model';
import type { ModelSource } from '../../apps/worker/src/process/model-source.js';
import { runWorker } from '../../apps/worker/src/run-worker.js';
import { endWithOneLine } from './end-with-one-line.js';
import type { FaultyWorkerOptions } from './faulty-worker-options.js';

const { fault, ...quick } = JSON.parse(process.argv[2] ?? '') as FaultyWorkerOptions;
const environment = readEnvironment();
let failing = false;
let wake: () => void = () => {};
// Before it says that it is ready: a signal without a listener would end it.
process.on('SIGUSR2', () => {
  failing = !failing;
  if (!failing) wake();
});

/** Right by its own standards, until it is told otherwise. */
function faulty(device: SimulatedDevice): Device {
  return {
    width: device.width,
    description: 'faulty',
    restarts: 0,
    withdraw: (batch) => device.withdraw(batch),
    close: () => device.close(),
    async run(batch) {
      if (failing && fault === 'silent') await new Promise<void>((resolve) => (wake = resolve));
      const result = await device.run(batch);
      if (failing) result.values.reverse();
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
      device: faulty(new SimulatedDevice({ width: embedCard(model.card).dimensions, batchMs: 1, tokenMs: 0.01 })),
      maxTokens: model.card.maxTokens,
      tokenBudget: 1024,
      maxRows: 64,
      lookaheadTexts: 256,
      bulkShare: 0.2,
    }),
};

await runWorker(environment, { ...quick, source }).catch(endWithOneLine);
