/**
 * A device is what turns token ids into the floats of rows: one ONNX session on a CPU or GPU, or a simulation of one.
 *
 * Batches run one after another in the order they were handed in, so a caller may hand in the next one while the
 * first is under way. Deliberately not part of this port: tokenising, batching, retries, normalisation.
 */
export interface Device {
  /** Floats of a row. */
  readonly width: number;
  /** For people and registries: `cpu, 2 threads`. */
  readonly description: string;
  /** Times the device had to be started anew since `start`. */
  readonly restarts: number;
  /**
   * Runs one batch. The batch's buffers belong to the device from now on.
   *
   * Rejects with `DeviceLostError` when the device died meanwhile (the same rows may be tried again), with
   * `DeviceUnavailableError` when it could not be started again, with `BatchWithdrawnError` after `withdraw`, and with
   * any other error when these rows cannot be computed.
   */
  run(batch: PackedBatch): Promise<DeviceResult>;
  /** Takes back a batch that has not begun: true, and its `run` rejects with `BatchWithdrawnError`; false: too late. */
  withdraw(batch: PackedBatch): boolean;
  /** Starts it anew after the batches handed in so far, where that means anything. */
  restart?(): void;
  /** Ends the device. Batches still under way reject. */
  close(): Promise<void>;
}

/** Rows of token ids, padded at their ends to the longest of them. */
export interface PackedBatch {
  readonly rows: number;
  /** Tokens of the longest row. */
  readonly tokens: number;
  /** `[rows * tokens]`, row by row. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** `[rows * tokens]`: the segment of each token; null when all are of segment 0. */
  readonly types: Int32Array<ArrayBuffer> | null;
  /** `[rows]`: real tokens of each row. */
  readonly lengths: Int32Array<ArrayBuffer>;
}

export interface DeviceResult {
  /** `[rows * width]`, row by row, raw. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Time the device spent on this batch, ms. */
  readonly deviceMs: number;
}

/** The device died with a batch handed in: its rows may be tried again. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
  /** Whether the batch was under way, so that it may be the reason. */
  readonly started: boolean;

  constructor(message: string, options: { started: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.started = options.started;
  }
}

/** The device died and cannot be started again for the time being, or is closed: not the batch's fault. */
export class DeviceUnavailableError extends Error {
  override readonly name = 'DeviceUnavailableError';
}

/** The batch was taken back before it began. */
export class BatchWithdrawnError extends Error {
  override readonly name = 'BatchWithdrawnError';
}
