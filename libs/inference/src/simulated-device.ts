import {
  BatchWithdrawnError,
  DeviceUnavailableError,
  type Device,
  type DeviceResult,
  type PackedBatch,
} from './device.js';

export interface SimulatedDeviceOptions {
  readonly dimensions: number;
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
 * A simulated device takes the time its cost model says and computes nothing: vectors follow from the ids alone
 * (`simulatedVector`), whatever batch they come in. For measuring and testing everything around a device.
 */
export class SimulatedDevice implements Device {
  readonly dimensions: number;
  readonly description = 'simulated';
  readonly restarts = 0;
  readonly #options: SimulatedDeviceOptions;
  readonly #queue: QueuedRun[] = [];
  #working = false;
  #closed = false;
  /** When the device has done, or will have done, all that it began, ms. */
  #freeAt = 0;

  constructor(options: SimulatedDeviceOptions) {
    this.dimensions = options.dimensions;
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
      else run.resolve({ vectors: this.#vectors(batch), deviceMs });
    }
    this.#working = false;
  }

  #vectors({ rows, tokens, ids, lengths }: PackedBatch): Float32Array<ArrayBuffer> {
    const vectors = new Float32Array(rows * this.dimensions);
    for (let row = 0; row < rows; row++) {
      const real = ids.subarray(row * tokens, row * tokens + lengths[row]!);
      vectors.set(simulatedVector(real, this.dimensions), row * this.dimensions);
    }
    return vectors;
  }
}

/** `[dimensions]`: numbers from -1 to 1 that stand for exactly these ids in this order. */
export function simulatedVector(ids: Int32Array, dimensions: number): Float32Array<ArrayBuffer> {
  let state = 0x811c9dc5;
  for (const id of ids) state = Math.imul(state ^ id, 0x01000193) ^ (state >>> 15);
  const vector = new Float32Array(dimensions);
  for (let dimension = 0; dimension < dimensions; dimension++) {
    state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + 0x9e3779b9;
    vector[dimension] = (state >> 8) / 2 ** 23;
  }
  return vector;
}

function timer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
