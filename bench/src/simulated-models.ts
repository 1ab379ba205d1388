import type { Environment } from '#config';
import { embedCard, type ServedModel } from '#contracts';
import { Engine, LOOKAHEAD_TEXTS, MAX_BATCH_ROWS } from '#inference';
import { SimulatedDevice } from '#inference/testing';
import { loadModel, TokenizerThread, type RunnableModel } from '#model';
import type { ModelSource } from '../../apps/worker/src/process/model-source.js';
import { CountingTokenizer } from './counting-tokenizer.js';

/** Time that a simulated device takes, and the size of its vectors. */
export interface DeviceModel {
  /** Fixed time of a batch, ms. */
  readonly batchMs: number;
  /** Time of each token, padding included, ms. */
  readonly tokenMs: number;
  readonly dimensions: number;
}

export interface SimulatedModelOptions {
  readonly device: DeviceModel;
  /** `model`: the served model's own, in its own thread; `counting`: made-up ids, at almost no cost. */
  readonly tokenizer: 'model' | 'counting';
  /** Texts in a micro-batch, and texts from which it is chosen. Default: the product's values. */
  readonly batching?: { readonly maxRows: number; readonly lookaheadTexts: number };
}

/** Tokens in a micro-batch, padding included: the product's default on a GPU. */
const TOKEN_BUDGET = 16_384;
const BATCHING = { maxRows: MAX_BATCH_ROWS, lookaheadTexts: LOOKAHEAD_TEXTS };

/** Models on simulated devices; everything around the device is the worker's own code. */
export function simulatedModels(environment: Environment, options: SimulatedModelOptions): ModelSource {
  const { batching = BATCHING, device, tokenizer } = options;
  return {
    load: (served) =>
      tokenizer === 'model'
        ? loadModel(served, {
            modelDir: environment.EMBED_MODEL_DIR,
            hfEndpoint: environment.HF_ENDPOINT,
            dtype: 'fp32',
            device: 'cpu',
          })
        : Promise.resolve(madeUp(served, device.dimensions)),
    start: async (model) =>
      new Engine({
        tokenizer: tokenizer === 'model' ? await TokenizerThread.start(model.tokenizerFiles) : new CountingTokenizer(),
        device: new SimulatedDevice({ ...device, width: embedCard(model.card).dimensions }),
        maxTokens: model.card.maxTokens,
        padId: model.padTokenId,
        tokenBudget: TOKEN_BUDGET,
        ...batching,
        bulkShare: environment.EMBED_BULK_SHARE,
        overheadTokens: Math.round(device.batchMs / device.tokenMs),
      }),
  };
}

function madeUp({ name, source }: ServedModel, dimensions: number): RunnableModel {
  return {
    card: {
      name,
      fingerprint: `simulated-${dimensions}`,
      source,
      dtype: 'fp32',
      maxTokens: 256,
      prompts: {},
      operations: { embed: { dimensions, pooling: 'mean', normalize: true, matryoshka: [] } },
      createdAt: Date.now(),
    },
    padTokenId: 0,
    attention: { perRow: 0, perBatch: 0, bytes: 0 },
    tokenizerFiles: { tokenizer: {}, config: {} },
    onnxPath: '',
    graph: { inputs: [], output: '', width: dimensions },
    warnings: [],
  };
}
