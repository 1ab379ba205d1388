import { readEnvironment } from '#config';
import { loadModel, type RunnableModel } from '#model';
import type { BenchContext } from './suite.js';

export interface ContextOptions {
  readonly runs: number;
  readonly scale: number;
}

export function makeContext({ runs, scale }: ContextOptions): BenchContext {
  const environment = readEnvironment(process.env);
  const served = environment.EMBED_MODELS[0]!;
  const models = new Map<string, Promise<RunnableModel>>();
  return {
    runs,
    scale,
    threads: environment.EMBED_THREADS,
    served,
    modelDir: environment.EMBED_MODEL_DIR,
    model(dtype) {
      const known = models.get(dtype);
      if (known !== undefined) return known;
      const loading = loadModel(served, {
        modelDir: environment.EMBED_MODEL_DIR,
        hfEndpoint: environment.HF_ENDPOINT,
        dtype,
        device: 'cpu',
      });
      models.set(dtype, loading);
      return loading;
    },
    say: (line) => console.error(line),
  };
}
