import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BootError } from '#contracts';
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
import type { GraphInterface } from '#model';

export interface OnnxDeviceOptions {
  readonly model: { readonly onnxPath: string; readonly graph: GraphInterface };
  readonly device: DeviceChoice;
  /** Intra-op threads of a CPU device. */
  readonly threads: number;
  /** Padded tokens of the largest batch that will come. Default: as it suits the device. */
  readonly tokenBudget?: number | undefined;
  /** Longest text of the model, tokens. */
  readonly maxTokens: number;
  /** Called when the thread died and will be started again. */
  readonly onRestart?: ((restart: DeviceRestart) => void) | undefined;
}

export interface DeviceRestart {
  /** Why the thread ended, one line. */
  readonly reason: string;
  /** Restarts so far, this one included. */
  readonly restarts: number;
  /** Pause before it, ms. */
  readonly delayMs: number;
}

interface PendingRun {
  readonly id: number;
  readonly batch: PackedBatch;
  /** Whether its buffers have moved to the thread, which loses them when it dies. */
  handed: boolean;
  resolve(result: DeviceResult): void;
  reject(error: Error): void;
}

type ThreadState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly worker: Worker }
  /** Told to end, for a new one to be started. */
  | { readonly kind: 'ending' }
  /** Died; started again when the timer fires. */
  | { readonly kind: 'resting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'closed' };

/** Batches that may be outstanding at once; an engine hands in two. */
const MAX_OUTSTANDING = 1024;
/** Longest that `close`, or a process that exits, waits for the call into ONNX Runtime that is under way. */
const END_WAIT_MS = 10_000;
const FIRST_REST_MS = 100;
const MAX_REST_MS = 10_000;
/** After so many starts in a row that failed, batches are refused rather than kept waiting. */
const PATIENCE_STARTS = 3;

/**
 * An ONNX device is a thread that owns an ONNX session, and what keeps it alive: a thread that dies is started again
 * after a rest that grows with every death in a row.
 *
 * The thread is always asked to end, never terminated: ONNX Runtime's binding aborts the whole process when its thread
 * is torn down in the middle of a call. For the same reason a process that exits waits for the call under way.
 */
export class OnnxDevice implements Device {
  readonly dimensions: number;
  readonly #options: OnnxDeviceOptions;
  readonly #claims = new Int32Array(new SharedArrayBuffer(MAX_OUTSTANDING * Int32Array.BYTES_PER_ELEMENT));
  readonly #busy = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Handed in and not settled, in that order. */
  readonly #pending = new Map<number, PendingRun>();
  #state: ThreadState = { kind: 'starting' };
  /** The thread's end, whatever its reason. */
  #ended: Promise<void> = Promise.resolve();
  #speed: DeviceSpeed = { tokenBudget: 0, tokensPerSecond: 0, overheadTokens: 0 };
  #lastId = 0;
  #restarts = 0;
  /** Deaths since a batch last came back. */
  #deathsInARow = 0;
  #failedStarts = 0;

  private constructor(options: OnnxDeviceOptions) {
    this.#options = options;
    this.dimensions = options.model.graph.width;
  }

  /**
   * Starts the thread, loads the graph and warms it up.
   * @throws BootError, one line, when the device cannot be had or the graph cannot be run.
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

  /** What the warm-up at the first start measured. */
  get speed(): DeviceSpeed {
    return this.#speed;
  }

  run(batch: PackedBatch): Promise<DeviceResult> {
    if (this.#state.kind === 'closed') return Promise.reject(new DeviceUnavailableError('the device is closed'));
    if (this.#pending.size >= MAX_OUTSTANDING) return Promise.reject(new RangeError('too many batches outstanding'));
    if (this.#state.kind === 'resting' && this.#failedStarts >= PATIENCE_STARTS) {
      return Promise.reject(new DeviceUnavailableError('the device cannot be started again'));
    }
    return new Promise((resolve, reject) => {
      this.#lastId = (this.#lastId % 0x7fff_ffff) + 1;
      const run: PendingRun = { id: this.#lastId, batch, handed: false, resolve, reject };
      this.#pending.set(run.id, run);
      Atomics.store(this.#claims, run.id % MAX_OUTSTANDING, run.id);
      if (this.#state.kind === 'running') hand(this.#state.worker, run);
    });
  }

  withdraw(batch: PackedBatch): boolean {
    for (const run of this.#pending.values()) {
      if (run.batch === batch) return this.#withdraw(run, new BatchWithdrawnError('the batch was withdrawn'));
    }
    return false;
  }

  /**
   * Ends the thread after the batches handed in so far, and starts a new one, which gives all memory of the session
   * back. Batches handed in meanwhile wait for it.
   */
  restart(): void {
    if (this.#state.kind !== 'running') return;
    tell(this.#state.worker, { kind: 'end' });
    this.#state = { kind: 'ending' };
  }

  /** Ends the thread as soon as the batch under way is done; all batches reject at once. Waits for it 10 s at most. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'resting') clearTimeout(state.timer);
    if (state.kind === 'running') tell(state.worker, { kind: 'end' });
    for (const run of this.#pending.values()) {
      const closed = new DeviceUnavailableError('the device was closed');
      if (!this.#withdraw(run, closed)) this.#settle(run.id)?.reject(closed);
    }
    const patience = new AbortController();
    await Promise.race([
      this.#ended,
      delay(END_WAIT_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  /** Starts a thread and follows its life; settles when the thread is ready or has ended without having been. */
  #startThread(warmUpTokens: number | null): Promise<Extract<FromDeviceThread, { kind: 'ready' | 'refused' }>> {
    const { model, device, threads, maxTokens } = this.#options;
    const { onnxPath, graph } = model;
    const workerData: DeviceThreadData = {
      onnxPath,
      graph,
      device,
      threads,
      warmUpTokens,
      maxTokens,
      claims: this.#claims,
      busy: this.#busy,
    };
    Atomics.store(this.#busy, 0, 1);
    process.on('exit', this.#onProcessExit);
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
            this.#settle(message.id)?.resolve({ vectors: message.vectors, deviceMs: message.deviceMs });
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
        process.off('exit', this.#onProcessExit);
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
      tell(worker, { kind: 'end' });
      return;
    }
    this.#state = { kind: 'running', worker };
    this.#failedStarts = 0;
    for (const run of this.#pending.values()) hand(worker, run);
  }

  #threadEnded(reason: string): void {
    const before = this.#state.kind;
    // A first start that fails is its caller's to report.
    if (before === 'closed' || (before === 'starting' && this.#restarts === 0)) return;
    this.#restarts++;
    const restMs = before === 'ending' ? 0 : Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** this.#deathsInARow++);
    this.#state = { kind: 'resting', timer: setTimeout(() => void this.#startThread(0), restMs) };
    if (before === 'starting') this.#failedStarts++;
    for (const run of this.#pending.values()) {
      if (run.handed) {
        const started = Atomics.load(this.#claims, run.id % MAX_OUTSTANDING) === -run.id;
        this.#settle(run.id)?.reject(new DeviceLostError(reason, { started }));
      } else if (this.#failedStarts >= PATIENCE_STARTS) {
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

/** The batch's buffers move to the thread: no copy. */
function hand(worker: Worker, run: PendingRun): void {
  const { id, batch } = run;
  run.handed = true;
  tell(worker, { kind: 'run', id, batch }, [batch.ids.buffer, batch.lengths.buffer]);
}

function tell(worker: Worker, message: ToDeviceThread, transfer: ArrayBuffer[] = []): void {
  worker.postMessage(message, transfer);
}
