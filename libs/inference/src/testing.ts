import {
  BatchWithdrawnError,
  DeviceUnavailableError,
  type Device,
  type DeviceResult,
  type PackedBatch,
} from './device/device.js';

export interface SimulatedDeviceOptions {
  /** Floats per row. */
  readonly width: number;
  /** Fixed cost of a batch, ms. */
  readonly batchMs: number;
  /** Cost per padded token, ms. */
  readonly tokenMs: number;
  /** Waits this many ms. Default: a timer. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Called for each batch; if it returns an error, the batch rejects with it. */
  readonly fault?: (batch: PackedBatch) => Error | undefined;
}

interface QueuedRun {
  readonly batch: PackedBatch;
  /** When `run` was called, by `performance.now()`. */
  readonly at: number;
  resolve(result: DeviceResult): void;
  reject(error: Error): void;
}

/**
 * A simulated device runs no model: a batch takes the time given by a cost model, and its values depend only on each
 * row's token ids and segments (`simulatedValues`), not on the batch. For tests and benchmarks of everything around a
 * device.
 */
export class SimulatedDevice implements Device {
  readonly width: number;
  readonly description = 'simulated';
  readonly restarts = 0;
  readonly #options: SimulatedDeviceOptions;
  readonly #queue: QueuedRun[] = [];
  #working = false;
  #closed = false;
  /** When the device has finished, or will finish, all batches it began, by `performance.now()`. */
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
      // Simulated time: a timer that fires late delays the result of this batch, but not the start of the next one.
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

/** `[width]`: pseudorandom numbers from -1 to 1, a function of the ids, their order and their segments. */
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
