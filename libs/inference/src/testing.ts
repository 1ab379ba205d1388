import {
  BatchWithdrawnError,
  DeviceUnavailableError,
  type Device,
  type DeviceResult,
  type PackedBatch,
} from './device/device.js';

export interface SimulatedDeviceOptions {
  /** Floats of a row. */
  readonly width: number;
  /** Cost of a batch before its first token, ms. */
  readonly batchMs: number;
  /** Cost of a padded token, ms. */
  readonly tokenMs: number;
  /** Lets so many ms go by. Default: a timer. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Asked before each batch computes; an error it gives rejects that batch. */
  readonly fault?: (batch: PackedBatch) => Error | undefined;
}

interface QueuedRun {
  readonly batch: PackedBatch;
  /** When it was handed in, ms. */
  readonly at: number;
  resolve(result: DeviceResult): void;
  reject(error: Error): void;
}

/**
 * A simulated device takes the time its cost model says and computes nothing: its floats follow from the ids and their
 * segments alone (`simulatedValues`), whatever batch they come in. For measuring and testing everything around a device.
 */
export class SimulatedDevice implements Device {
  readonly width: number;
  readonly description = 'simulated';
  readonly restarts = 0;
  readonly #options: SimulatedDeviceOptions;
  readonly #queue: QueuedRun[] = [];
  #working = false;
  #closed = false;
  /** When the device has done, or will have done, all that it began, ms. */
  #freeAt = 0;

  constructor(options: SimulatedDeviceOptions) {
    this.width = options.width;
    this.#options = options;
  }

  run(batch: PackedBatch): Promise<DeviceResult> {
    if (this.#closed) return Promise.reject(new DeviceUnavailableError('the device is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ batch, at: performance.now(), resolve, reject });
      if (!this.#working) void this.#work();
    });
  }

  withdraw(batch: PackedBatch): boolean {
    const index = this.#queue.findIndex((run) => run.batch === batch);
    if (index < 0) return false;
    this.#queue.splice(index, 1)[0]!.reject(new BatchWithdrawnError('the batch was withdrawn'));
    return true;
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const run of this.#queue.splice(0)) run.reject(new DeviceUnavailableError('the device was closed'));
    return Promise.resolve();
  }

  async #work(): Promise<void> {
    this.#working = true;
    const { batchMs, tokenMs, fault, sleep = timer } = this.#options;
    for (let run = this.#queue.shift(); run !== undefined; run = this.#queue.shift()) {
      const { batch } = run;
      const deviceMs = batchMs + tokenMs * batch.rows * batch.tokens;
      // By the device's own clock: a timer that fires late delays this batch's answer, not the batch queued behind it.
      this.#freeAt = Math.max(this.#freeAt, run.at) + deviceMs;
      await sleep(Math.max(0, this.#freeAt - performance.now()));
      const error = this.#closed ? new DeviceUnavailableError('the device was closed') : fault?.(batch);
      if (error !== undefined) run.reject(error);
      else run.resolve({ values: this.#values(batch), deviceMs });
    }
    this.#working = false;
  }

  #values({ rows, tokens, ids, types, lengths }: PackedBatch): Float32Array<ArrayBuffer> {
    const values = new Float32Array(rows * this.width);
    for (let row = 0; row < rows; row++) {
      const [start, end] = [row * tokens, row * tokens + lengths[row]!];
      const real = simulatedValues(ids.subarray(start, end), this.width, types?.subarray(start, end));
      values.set(real, row * this.width);
    }
    return values;
  }
}

/** `[width]`: numbers from -1 to 1 that stand for exactly these ids, of these segments, in this order. */
export function simulatedValues(ids: Int32Array, width: number, types?: Int32Array): Float32Array<ArrayBuffer> {
  let state = 0x811c9dc5;
  for (const [n, id] of ids.entries()) {
    state = Math.imul(state ^ id, 0x01000193) ^ (state >>> 15) ^ Math.imul(types?.[n] ?? 0, 0x27d4eb2f);
  }
  const values = new Float32Array(width);
  for (let n = 0; n < width; n++) {
    state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + 0x9e3779b9;
    values[n] = (state >> 8) / 2 ** 23;
  }
  return values;
}

function timer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
