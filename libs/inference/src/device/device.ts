/**
 * A device computes the floats of rows from token ids: one ONNX session on a CPU or GPU, or a simulation of one.
 *
 * Batches run one after another in the order of `run`, so a caller may pass the next batch while the first one runs.
 * Deliberately not part of this port: tokenising, batching, retries, normalisation.
 */
export interface Device {
  /** Floats per row. */
  readonly width: number;
  /** For display and the worker registry: `cpu, 2 threads`. */
  readonly description: string;
  /** Restarts so far, both after deaths and by `restart`. */
  readonly restarts: number;
  /**
   * Runs one batch. From this call on the device owns the batch's buffers.
   *
   * Rejects with `DeviceLostError` when the device died in the meantime (the same rows may be retried), with
   * `DeviceUnavailableError` when it could not be restarted or is closed, with `BatchWithdrawnError` after `withdraw`,
   * and with any other error when these rows cannot be computed.
   */
  run(batch: PackedBatch): Promise<DeviceResult>;
  /** Withdraws a batch: its `run` rejects with `BatchWithdrawnError`. @returns false when the batch has begun */
  withdraw(batch: PackedBatch): boolean;
  /** Restarts the device after the batches it already has. Absent if the device cannot be restarted. */
  restart?(): void;
  /** Closes the device. Unfinished batches reject. */
  close(): Promise<void>;
}

/** Rows of token ids, each padded at its end to the longest. */
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
  /** `[rows]`: tokens of each row's prompt, with those before it. Absent: no row has a prompt. */
  readonly promptTokens?: Int32Array<ArrayBuffer>;
}

export interface DeviceResult {
  /** `[rows * width]`, row by row, as the model computed them. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Time the device spent on this batch, ms. */
  readonly deviceMs: number;
}

/** The device died before it returned a batch: the batch's rows may be retried. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
  /** Whether the batch was running, so that it may be the cause. */
  readonly started: boolean;

  constructor(message: string, options: { started: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.started = options.started;
  }
}

/** The device has died and cannot be restarted for now, or is closed: the batch is not at fault. */
export class DeviceUnavailableError extends Error {
  override readonly name = 'DeviceUnavailableError';
}

/** The batch was withdrawn before it began. */
export class BatchWithdrawnError extends Error {
  override readonly name = 'BatchWithdrawnError';
}
