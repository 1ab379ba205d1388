import { type RunnableModel, TokenizerThread } from '#model';
import { parseDevice } from '../device/device-choice.js';
import { type DeviceRestart, OnnxDevice } from '../device/onnx-device.js';
import { DEFAULT_OVERHEAD_TOKENS, Engine, requireRoom } from './engine.js';

/** Maximum number of inputs of one micro-batch. */
export const MAX_BATCH_ROWS = 256;
/** Inputs that are sorted by length and planned together. */
export const LOOKAHEAD_TEXTS = 1024;

export interface EngineStartOptions {
  /** `cpu`, `cuda:N` or `webgpu`. */
  readonly device: string;
  /** Intra-op threads of a CPU device. */
  readonly threads: number;
  /** Maximum padded tokens of a micro-batch. Default: measured at warm-up, see `findTokenBudget`. */
  readonly tokenBudget?: number | undefined;
  /** Share of micro-batches that bulk gets while interactive inputs keep coming, 0..1. */
  readonly bulkShare: number;
  /** Called when the device has died and is about to be restarted. */
  readonly onRestart?: ((restart: DeviceRestart) => void) | undefined;
}

/**
 * Starts a model's tokenizer and device, and an engine on them.
 * @throws BootError, one line, when the device is not available or the model's longest text does not fit in a batch
 */
export async function startEngine(model: RunnableModel, options: EngineStartOptions): Promise<Engine> {
  const { threads, onRestart, ...limits } = options;
  const { attention } = model;
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
      attention,
      onRestart,
    });
    const { tokenBudget } = onnx.speed;
    return new Engine({
      ...limits,
      tokenizer,
      device: onnx,
      maxRows: MAX_BATCH_ROWS,
      attention,
      lookaheadTexts: LOOKAHEAD_TEXTS,
      maxTokens,
      padId: model.padTokenId,
      takesEmpty: model.takesEmpty ?? false,
      tokenBudget,
      overheadTokens: plausibleOverhead(onnx.speed.overheadTokens, tokenBudget),
    });
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
}

/** Bounds the measured overhead: a disturbed warm-up must not lead to batches of one row, or to full, padded ones. */
function plausibleOverhead(measuredTokens: number, tokenBudget: number): number {
  return Math.max(DEFAULT_OVERHEAD_TOKENS, Math.min(measuredTokens, tokenBudget / 8));
}
