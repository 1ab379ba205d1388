import type { AttentionBudget, GraphInterface } from '#model';
import type { PackedBatch } from './device.js';
import type { DeviceChoice } from './device-choice.js';

/** Worker data of a device thread. */
export interface DeviceThreadData {
  readonly onnxPath: string;
  readonly graph: GraphInterface;
  readonly device: DeviceChoice;
  /** Intra-op threads of a CPU session. */
  readonly threads: number;
  /**
   * Padded tokens of the largest batch to warm up with; null: find the best token budget; 0: warm up with single rows
   * only, for a restart.
   */
  readonly warmUpTokens: number | null;
  /** Longest text of the model, tokens. */
  readonly maxTokens: number;
  /** Memory of attention; undefined: not limited. */
  readonly attention: AttentionBudget | undefined;
  /**
   * Who owns a batch: word `id % claims.length` is `id` while the batch waits, `-id` once the thread has taken it, and
   * any other value after it was withdrawn.
   */
  readonly claims: Int32Array<SharedArrayBuffer>;
  /** One word: 1 while the thread is, or may be, inside ONNX Runtime. The thread notifies waiters when it sets 0. */
  readonly busy: Int32Array<SharedArrayBuffer>;
}

export type ToDeviceThread =
  | { readonly kind: 'run'; readonly id: number; readonly batch: PackedBatch }
  /** Release the session and end, after all earlier messages. */
  | { readonly kind: 'end' };

export type FromDeviceThread =
  | { readonly kind: 'ready'; readonly speed: DeviceSpeed }
  /** The session could not be created or computed invalid values; the thread ends. */
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly values: Float32Array<ArrayBuffer>;
      readonly deviceMs: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };

/** Measured at warm-up. */
export interface DeviceSpeed {
  /** Maximum padded tokens of a batch: as given, else as found. */
  readonly tokenBudget: number;
  /** Padded tokens per second with the largest batch tried. */
  readonly tokensPerSecond: number;
  /** Fixed cost of a batch, in tokens. */
  readonly overheadTokens: number;
}
