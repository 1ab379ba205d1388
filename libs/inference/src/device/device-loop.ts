import type { Lane } from '#contracts';
import {
  BatchWithdrawnError,
  DeviceLostError,
  DeviceUnavailableError,
  type Device,
  type DeviceResult,
  type PackedBatch,
} from './device.js';
import type { Batchable, MicroBatch, MicroBatcher } from '../batching/micro-batcher.js';
import { pack, type PackedInput } from '../batching/pack.js';

/** A tokenised input for the device. */
export interface DeviceInput extends Batchable, PackedInput {
  /** Whether it needs no row any more: it has its outcome, or its call has failed. */
  readonly isSettled: boolean;
}

export interface DeviceLoopOptions<T extends DeviceInput> {
  readonly device: Device;
  readonly batcher: MicroBatcher<T>;
  readonly padId: number;
  /** A batch is done; `result.values` is `[rows * width]`, in the order of `inputs`. */
  onValues(inputs: readonly T[], packed: PackedBatch, result: DeviceResult): void;
  /** This input cannot be computed. */
  onFailedInput(input: T, reason: string): void;
  /** The device is not available; the texts are not at fault. */
  onUnavailable(texts: readonly T[], error: DeviceUnavailableError): void;
}

/** Texts that run together: a batch of the batcher, or a failed batch, or half of one, that runs again. */
interface Load<T extends DeviceInput> {
  readonly texts: readonly T[];
  /** The batcher's batch; undefined for a load that runs again. */
  readonly batch?: MicroBatch<T>;
  /** How often the device died while it ran these texts. */
  readonly losses: number;
}

interface Outstanding<T extends DeviceInput> extends Load<T> {
  readonly packed: PackedBatch;
}

/** How often the device may die while it runs a load before the load is split in two. */
const MAX_LOSSES = 2;
/** A ready bulk batch is planned again when its lane has grown by this factor: more texts allow less padding. */
const REGROUP_GROWTH = 1.5;

/**
 * The device loop keeps a device busy: while one batch runs, the next one is already packed and queued on the device.
 * A batch that fails is split into halves until the faulty text is alone.
 */
export class DeviceLoop<T extends DeviceInput> {
  readonly #options: DeviceLoopOptions<T>;
  /** Passed to the device: at most one running and one ready batch. */
  readonly #outstanding: Outstanding<T>[] = [];
  /** Loads to run again, before any new batch. */
  readonly #again: Load<T>[] = [];
  #pumping = false;

  constructor(options: DeviceLoopOptions<T>) {
    this.#options = options;
  }

  /** Must be called after texts were added to the batcher. */
  added(lane: Lane): void {
    const ready = this.#ready();
    if (ready?.batch !== undefined && this.#wantsRegrouping(ready.batch, lane)) this.#takeBack(ready);
    this.#pump();
  }

  /** Cancels a text. @returns false when the device may already have begun it */
  drop(text: T): boolean {
    const { batcher } = this.#options;
    const ready = this.#ready();
    if (ready?.batch?.items.includes(text) === true) this.#takeBack(ready);
    this.#pump();
    return batcher.remove(text) || this.#again.some((load) => load.texts.includes(text));
  }

  #ready(): Outstanding<T> | undefined {
    return this.#outstanding.length > 1 ? this.#outstanding.at(-1) : undefined;
  }

  /**
   * New interactive texts may join or displace the ready batch (a bulk batch whose turn is due is chosen again). New
   * bulk texts only matter if the ready batch was planned from few.
   */
  #wantsRegrouping(batch: MicroBatch<T>, added: Lane): boolean {
    if (added === 'interactive') return true;
    return batch.lane === 'bulk' && this.#options.batcher.queued('bulk') > REGROUP_GROWTH * batch.candidates;
  }

  #takeBack(ready: Outstanding<T>): void {
    if (!this.#options.device.withdraw(ready.packed)) return;
    this.#outstanding.pop();
    this.#options.batcher.putBack(ready.batch!);
  }

  /** Passes batches to the device in a microtask, so that many calls in one turn cause one pass. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      while (this.#outstanding.length < 2) {
        const load = this.#again.shift() ?? this.#fromBatcher();
        if (load === undefined) return;
        this.#launch(load);
      }
    });
  }

  #fromBatcher(): Load<T> | undefined {
    const batch = this.#options.batcher.next();
    return batch === undefined ? undefined : { texts: batch.items, batch, losses: 0 };
  }

  #launch(load: Load<T>): void {
    const texts = load.texts.filter((text) => !text.isSettled);
    if (texts.length === 0) return;
    const packed = pack(texts, this.#options.padId);
    const outstanding: Outstanding<T> = { ...load, texts, packed };
    this.#outstanding.push(outstanding);
    this.#options.device.run(packed).then(
      (result) => {
        this.#remove(outstanding);
        this.#pump();
        this.#options.onValues(texts, packed, result);
      },
      (error: unknown) => {
        if (error instanceof BatchWithdrawnError) return;
        this.#remove(outstanding);
        this.#pump();
        this.#failed(outstanding, error);
      },
    );
  }

  #remove(outstanding: Outstanding<T>): void {
    const index = this.#outstanding.indexOf(outstanding);
    if (index >= 0) this.#outstanding.splice(index, 1);
  }

  #failed(load: Load<T>, error: unknown): void {
    const { texts } = load;
    if (error instanceof DeviceUnavailableError) {
      this.#options.onUnavailable(texts, error);
      return;
    }
    const lost = error instanceof DeviceLostError;
    const losses = load.losses + (lost && error.started ? 1 : 0);
    if (lost && (!error.started || losses <= MAX_LOSSES)) {
      this.#again.push({ texts, losses });
    } else if (texts.length > 1) {
      const half = texts.length >> 1;
      this.#again.push({ texts: texts.slice(0, half), losses }, { texts: texts.slice(half), losses });
    } else {
      this.#options.onFailedInput(texts[0]!, error instanceof Error ? error.message : String(error));
    }
  }
}
