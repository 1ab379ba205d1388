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

/** A tokenised input on its way to the device. */
export interface DeviceInput extends Batchable, PackedInput {
  /** Whether nobody waits for it any more. */
  readonly isSettled: boolean;
}

export interface DeviceLoopOptions<T extends DeviceInput> {
  readonly device: Device;
  readonly batcher: MicroBatcher<T>;
  readonly padId: number;
  /** One batch is done: `[rows * width]` in the order of `inputs`. */
  onValues(inputs: readonly T[], packed: PackedBatch, result: DeviceResult): void;
  /** This one input cannot be computed. */
  onFailedInput(input: T, reason: string): void;
  /** The device cannot be had; none of these texts is at fault. */
  onUnavailable(texts: readonly T[], error: DeviceUnavailableError): void;
}

/** Texts that run together, whether the batcher put them together or a failed batch was cut in two. */
interface Load<T extends DeviceInput> {
  readonly texts: readonly T[];
  /** As the batcher gave it; undefined for a load that runs again. */
  readonly batch?: MicroBatch<T>;
  /** Times the device died with it. */
  readonly losses: number;
}

interface Outstanding<T extends DeviceInput> extends Load<T> {
  readonly packed: PackedBatch;
}

/** Times a load may be under way while the device dies before it is cut in two. */
const MAX_LOSSES = 2;
/** A ready batch of bulk texts is chosen anew when its lane has grown by this factor since: more texts, better sorted. */
const REGROUP_GROWTH = 1.5;

/**
 * The device loop keeps a device busy: one batch runs while the next one is packed and handed in behind it.
 * A batch that fails is cut in halves until the text at fault is alone.
 */
export class DeviceLoop<T extends DeviceInput> {
  readonly #options: DeviceLoopOptions<T>;
  /** Handed to the device: at most one that runs and one that is ready. */
  readonly #outstanding: Outstanding<T>[] = [];
  /** Loads to be run again, before anything else. */
  readonly #again: Load<T>[] = [];
  #pumping = false;

  constructor(options: DeviceLoopOptions<T>) {
    this.#options = options;
  }

  /** Texts were added to the batcher. */
  added(lane: Lane): void {
    const ready = this.#ready();
    if (ready?.batch !== undefined && this.#wantsRegrouping(ready.batch, lane)) this.#takeBack(ready);
    this.#pump();
  }

  /** Drops a text that the device has not begun; false when it is too late. */
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
   * Interactive texts join or displace what is ready (bulk's due turn comes out the same again); bulk texts only improve
   * a choice made among few.
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

  /** Once for all that happens in one turn of the event loop's microtasks. */
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
