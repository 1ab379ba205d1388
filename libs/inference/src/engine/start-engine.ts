import { type RunnableModel, TokenizerThread } from '#model';
import { parseDevice } from '../device/device-choice.js';
import { type DeviceRestart, OnnxDevice } from '../device/onnx-device.js';
import { DEFAULT_OVERHEAD_TOKENS, Engine, requireRoom } from './engine.js';

/** Inputs of one micro-batch. */
export const MAX_BATCH_ROWS = 256;
/** Inputs that are sorted by length together. */
export const LOOKAHEAD_TEXTS = 1024;

export interface EngineStartOptions {
  /** `cpu`, `cuda:N` or `webgpu`. */
  readonly device: string;
  /** Intra-op threads of a CPU device. */
  readonly threads: number;
  /** Padded tokens of a micro-batch. Default: the least that the device is about as fast with as with any, found by trying. */
  readonly tokenBudget?: number | undefined;
  readonly bulkShare: number;
  /** Called when the device died and will be started again. */
  readonly onRestart?: ((restart: DeviceRestart) => void) | undefined;
}

/**
 * Starts a model's tokenizer and its device, and puts an engine on them.
 * @throws BootError, one line, when the device cannot be had or the model's longest text does not fit a batch.
 */
export async function startEngine(model: RunnableModel, options: EngineStartOptions): Promise<Engine> {
  const { threads, onRestart, ...limits } = options;
  const { maxTokens } = model.card;
  const device = parseDevice(options.device);
  if (options.tokenBudget !== undefined) requireRoom(maxTokens, options.tokenBudget);
  const tokenizer = await TokenizerThread.start(model.tokenizerFiles);
  try {
    const onnx = await OnnxDevice.start({
      model,
      device,
      threads,
      tokenBudget: options.tokenBudget,
      maxTokens,
      onRestart,
    });
    const { tokenBudget } = onnx.speed;
    return new Engine({
      ...limits,
      tokenizer,
      device: onnx,
      maxRows: MAX_BATCH_ROWS,
      lookaheadTexts: LOOKAHEAD_TEXTS,
      maxTokens,
      padId: model.padTokenId,
      tokenBudget,
      overheadTokens: plausibleOverhead(onnx.speed.overheadTokens, tokenBudget),
    });
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
}

/** A warm-up disturbed by other work must not make batches of single rows, nor full ones whatever their padding. */
function plausibleOverhead(measuredTokens: number, tokenBudget: number): number {
  return Math.max(DEFAULT_OVERHEAD_TOKENS, Math.min(measuredTokens, tokenBudget / 8));
}
