import { Worker } from 'node:worker_threads';
import { BootError, within } from '#contracts';
import {
  BatchWithdrawnError,
  DeviceLostError,
  DeviceUnavailableError,
  type Device,
  type DeviceResult,
  type PackedBatch,
} from './device.js';
import { deviceName, type DeviceChoice } from './device-choice.js';
import type { DeviceSpeed, DeviceThreadData, FromDeviceThread, ToDeviceThread } from './device-messages.js';
import type { AttentionBudget, GraphInterface } from '#model';

export interface OnnxDeviceOptions {
  readonly model: { readonly onnxPath: string; readonly graph: GraphInterface };
  readonly device: DeviceChoice;
  /** Intra-op threads of a CPU device. */
  readonly threads: number;
  /** Maximum padded tokens of a batch. Default: measured at warm-up, see `findTokenBudget`. */
  readonly tokenBudget?: number | undefined;
  /** Longest text of the model, tokens. */
  readonly maxTokens: number;
  /** Memory of attention, which the warm-up keeps to. Default: not limited. */
  readonly attention?: AttentionBudget | undefined;
  /** Called when the thread has died and is about to be restarted. */
  readonly onRestart?: ((restart: DeviceRestart) => void) | undefined;
}

export interface DeviceRestart {
  /** Why the thread ended, one line. */
  readonly reason: string;
  /** Restarts so far, this one included. */
  readonly restarts: number;
  /** Delay before the restart, ms. */
  readonly delayMs: number;
}

interface PendingRun {
  readonly id: number;
  readonly batch: PackedBatch;
  /** Whether its buffers were transferred to the thread; they are lost when the thread dies. */
  handed: boolean;
  resolve(result: DeviceResult): void;
  reject(error: Error): void;
}

type ThreadState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly worker: Worker }
  /** Asked to end; a new thread is started then. */
  | { readonly kind: 'ending' }
  /** Has ended; restarted when the timer fires. */
  | { readonly kind: 'resting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'closed' };

/** Maximum number of outstanding batches; an engine has at most two. */
const MAX_OUTSTANDING = 1024;
/** How long `close`, or an exiting process, waits for a running call into ONNX Runtime, ms. */
const END_WAIT_MS = 10_000;
const FIRST_REST_MS = 100;
const MAX_REST_MS = 10_000;
/** After this many failed starts in a row, batches are rejected instead of kept waiting. */
const MAX_FAILED_STARTS = 3;

/** One listener for the devices of all models: Node warns of more than ten. */
const exitListeners = new Set<() => void>();
process.on('exit', () => {
  for (const listener of exitListeners) listener();
});

/**
 * An ONNX device runs an ONNX session in a thread of its own and supervises it: a thread that dies is restarted after a
 * delay that doubles with every death in a row.
 *
 * The thread is always asked to end, never terminated: ONNX Runtime's binding aborts the whole process when its thread
 * is terminated during a call. For the same reason an exiting process waits for the running call.
 */
export class OnnxDevice implements Device {
  readonly width: number;
  readonly #options: OnnxDeviceOptions;
  readonly #claims = new Int32Array(new SharedArrayBuffer(MAX_OUTSTANDING * Int32Array.BYTES_PER_ELEMENT));
  readonly #busy = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Batches not settled yet, in the order of `run`. */
  readonly #pending = new Map<number, PendingRun>();
  #state: ThreadState = { kind: 'starting' };
  /** Resolves when the thread has ended, for whatever reason. */
  #ended: Promise<void> = Promise.resolve();
  #speed: DeviceSpeed = { tokenBudget: 0, tokensPerSecond: 0, overheadTokens: 0 };
  #lastId = 0;
  #restarts = 0;
  /** Deaths of the thread since it last returned a batch. */
  #deathsInARow = 0;
  #failedStarts = 0;

  private constructor(options: OnnxDeviceOptions) {
    this.#options = options;
    this.width = options.model.graph.width;
  }

  /**
   * Starts the thread, loads the graph and warms it up.
   * @throws BootError, one line, when the device is not available or the graph cannot run
   */
  static async start(options: OnnxDeviceOptions): Promise<OnnxDevice> {
    const device = new OnnxDevice(options);
    const started = await device.#startThread(options.tokenBudget ?? null);
    if (started.kind === 'refused') {
      device.#state = { kind: 'closed' };
      throw new BootError(started.reason);
    }
    device.#speed = started.speed;
    return device;
  }

  get description(): string {
    const { device, threads } = this.#options;
    return device.kind === 'cpu' ? `cpu, ${threads} thread${threads === 1 ? '' : 's'}` : deviceName(device);
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Measured by the warm-up of the first start. */
  get speed(): DeviceSpeed {
    return this.#speed;
  }

  run(batch: PackedBatch): Promise<DeviceResult> {
    if (this.#state.kind === 'closed') return Promise.reject(new DeviceUnavailableError('the device is closed'));
    if (this.#pending.size >= MAX_OUTSTANDING) return Promise.reject(new RangeError('too many batches outstanding'));
    if (this.#state.kind === 'resting' && this.#failedStarts >= MAX_FAILED_STARTS) {
      return Promise.reject(new DeviceUnavailableError('the device cannot be started again'));
    }
    return new Promise((resolve, reject) => {
      this.#lastId = (this.#lastId % 0x7fff_ffff) + 1;
      const run: PendingRun = { id: this.#lastId, batch, handed: false, resolve, reject };
      this.#pending.set(run.id, run);
      Atomics.store(this.#claims, run.id % MAX_OUTSTANDING, run.id);
      if (this.#state.kind === 'running') transferRun(this.#state.worker, run);
    });
  }

  withdraw(batch: PackedBatch): boolean {
    for (const run of this.#pending.values()) {
      if (run.batch === batch) return this.#withdraw(run, new BatchWithdrawnError('the batch was withdrawn'));
    }
    return false;
  }

  /**
   * Ends the thread after the batches it already has, which frees all memory of the session, and starts a new one.
   * Batches passed to `run` in between wait for the new thread.
   */
  restart(): void {
    if (this.#state.kind !== 'running') return;
    post(this.#state.worker, { kind: 'end' });
    this.#state = { kind: 'ending' };
  }

  /** Rejects all batches at once and ends the thread after its running batch. Waits at most 10 s for that. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'resting') clearTimeout(state.timer);
    if (state.kind === 'running') post(state.worker, { kind: 'end' });
    for (const run of this.#pending.values()) {
      const closed = new DeviceUnavailableError('the device was closed');
      if (!this.#withdraw(run, closed)) this.#settle(run.id)?.reject(closed);
    }
    // A thread that has not ended by then ends with the process.
    await within(END_WAIT_MS, this.#ended).catch(() => undefined);
  }

  /** Starts a thread and supervises it. Resolves when the thread is ready, or has ended before it was. */
  #startThread(warmUpTokens: number | null): Promise<Extract<FromDeviceThread, { kind: 'ready' | 'refused' }>> {
    const { attention, model, device, threads, maxTokens } = this.#options;
    const { onnxPath, graph } = model;
    const workerData: DeviceThreadData = {
      onnxPath,
      graph,
      device,
      threads,
      warmUpTokens,
      maxTokens,
      attention,
      claims: this.#claims,
      busy: this.#busy,
    };
    Atomics.store(this.#busy, 0, 1);
    exitListeners.add(this.#onProcessExit);
    const worker = new Worker(new URL('./device-thread.js', import.meta.url), { workerData });
    this.#state = { kind: 'starting' };
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    return new Promise((resolve) => {
      let reason: string | undefined;
      worker.on('message', (message: FromDeviceThread) => {
        switch (message.kind) {
          case 'ready':
            resolve(message);
            this.#threadReady(worker);
            return;
          case 'refused':
            reason = message.reason;
            return;
          case 'done':
            this.#deathsInARow = 0;
            this.#settle(message.id)?.resolve({ values: message.values, deviceMs: message.deviceMs });
            return;
          case 'failed':
            this.#deathsInARow = 0;
            this.#settle(message.id)?.reject(new Error(message.reason));
            return;
        }
      });
      worker.on('error', (error: unknown) => {
        reason = error instanceof Error ? error.message : String(error);
      });
      worker.on('exit', (code) => {
        exitListeners.delete(this.#onProcessExit);
        const why = reason ?? `the device thread ended with code ${code}`;
        resolve({ kind: 'refused', reason: why });
        this.#threadEnded(why);
      });
    });
  }

  readonly #onProcessExit = (): void => {
    for (const run of this.#pending.values())
      Atomics.compareExchange(this.#claims, run.id % MAX_OUTSTANDING, run.id, 0);
    Atomics.wait(this.#busy, 0, 1, END_WAIT_MS);
  };

  #threadReady(worker: Worker): void {
    if (this.#state.kind === 'closed') {
      post(worker, { kind: 'end' });
      return;
    }
    this.#state = { kind: 'running', worker };
    this.#failedStarts = 0;
    for (const run of this.#pending.values()) transferRun(worker, run);
  }

  #threadEnded(reason: string): void {
    const before = this.#state.kind;
    // `start` reports a failed first start to its caller.
    if (before === 'closed' || (before === 'starting' && this.#restarts === 0)) return;
    this.#restarts++;
    const restMs = before === 'ending' ? 0 : Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** this.#deathsInARow++);
    this.#state = { kind: 'resting', timer: setTimeout(() => void this.#startThread(0), restMs) };
    if (before === 'starting') this.#failedStarts++;
    for (const run of this.#pending.values()) {
      if (run.handed) {
        const started = Atomics.load(this.#claims, run.id % MAX_OUTSTANDING) === -run.id;
        this.#settle(run.id)?.reject(new DeviceLostError(reason, { started }));
      } else if (this.#failedStarts >= MAX_FAILED_STARTS) {
        this.#settle(run.id)?.reject(new DeviceUnavailableError(`the device cannot be started again: ${reason}`));
      }
    }
    if (before !== 'ending') this.#options.onRestart?.({ reason, restarts: this.#restarts, delayMs: restMs });
  }

  #withdraw(run: PendingRun, error: Error): boolean {
    if (Atomics.compareExchange(this.#claims, run.id % MAX_OUTSTANDING, run.id, 0) !== run.id) return false;
    this.#settle(run.id)?.reject(error);
    return true;
  }

  #settle(id: number): PendingRun | undefined {
    const run = this.#pending.get(id);
    this.#pending.delete(id);
    return run;
  }
}

/** Transfers the batch's buffers to the thread, without a copy. */
function transferRun(worker: Worker, run: PendingRun): void {
  const { id, batch } = run;
  run.handed = true;
  const transfer = [batch.ids.buffer, batch.lengths.buffer];
  if (batch.types !== null) transfer.push(batch.types.buffer);
  if (batch.promptTokens !== undefined) transfer.push(batch.promptTokens.buffer);
  post(worker, { kind: 'run', id, batch }, transfer);
}

function post(worker: Worker, message: ToDeviceThread, transfer: ArrayBuffer[] = []): void {
  worker.postMessage(message, transfer);
}
