import type { GraphInterface } from '#model';
import type { PackedBatch } from './device.js';
import type { DeviceChoice } from './device-choice.js';

/** What a device thread is started with. */
export interface DeviceThreadData {
  readonly onnxPath: string;
  readonly graph: GraphInterface;
  readonly device: DeviceChoice;
  /** Intra-op threads of a CPU session. */
  readonly threads: number;
  /**
   * Padded tokens of the largest batch to warm up with; null to find what suits the device; 0 for a restart, which warms
   * up with single rows.
   */
  readonly warmUpTokens: number | null;
  /** Longest text of the model, tokens. */
  readonly maxTokens: number;
  /**
   * Who may have a batch: word `id % claims.length` is `id` while the batch waits, `-id` once the thread took it, and
   * something else when it was withdrawn.
   */
  readonly claims: Int32Array<SharedArrayBuffer>;
  /** One word: 1 while the thread is, or may be, inside ONNX Runtime; the thread wakes who waits for 0. */
  readonly busy: Int32Array<SharedArrayBuffer>;
}

export type ToDeviceThread =
  | { readonly kind: 'run'; readonly id: number; readonly batch: PackedBatch }
  /** Give the session back and end, once all that was handed in before is done. */
  | { readonly kind: 'end' };

export type FromDeviceThread =
  | { readonly kind: 'ready'; readonly speed: DeviceSpeed }
  /** The session could not be made or gave nonsense; the thread ends. */
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
  /** Padded tokens of a batch: as given, else as found. */
  readonly tokenBudget: number;
  /** Padded tokens per second on the largest batch tried. */
  readonly tokensPerSecond: number;
  /** What a batch costs before its first token, in tokens. */
  readonly overheadTokens: number;
}
