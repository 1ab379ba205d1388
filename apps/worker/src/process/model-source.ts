import type { Environment } from '#config';
import type { ServedModel } from '#contracts';
import { type Engine, startEngine } from '#inference';
import { loadModel } from '#model';
import type { RunnableModel } from '#model';
import type { Log } from '../log.js';

/** Loads a worker's models and starts the engines that run them. */
export interface ModelSource {
  /** @throws BootError naming the model that cannot be loaded, and why. */
  load(served: ServedModel): Promise<RunnableModel>;
  /** @throws BootError when the device is unavailable or the model's longest text exceeds the token budget. */
  start(model: RunnableModel): Promise<Engine>;
}

/** Loads models from their files and runs them with ONNX Runtime on the configured device. */
export function onnxModels(environment: Environment, log: Log): ModelSource {
  return {
    load: (served) =>
      loadModel(served, {
        modelDir: environment.EMBED_MODEL_DIR,
        modelsFile: environment.EMBED_MODELS_FILE,
        hfEndpoint: environment.HF_ENDPOINT,
        hfToken: environment.HF_TOKEN,
        dtype: environment.EMBED_DTYPE,
        device: environment.EMBED_DEVICE,
        deviceMemory: environment.EMBED_DEVICE_MEMORY,
      }),
    start: (model) =>
      startEngine(model, {
        device: environment.EMBED_DEVICE,
        threads: environment.EMBED_THREADS,
        ...(environment.EMBED_TOKEN_BUDGET === undefined ? {} : { tokenBudget: environment.EMBED_TOKEN_BUDGET }),
        bulkShare: environment.EMBED_BULK_SHARE,
        onRestart: (restart) => log.error({ model: model.card.name, ...restart }, 'the device thread died'),
      }),
  };
}
