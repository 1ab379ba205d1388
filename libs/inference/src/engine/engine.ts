import {
  BootError,
  encodeRow,
  type Lane,
  type ModelTexts,
  type Outcome,
  ROW_HEAD_BYTES,
  type TextError,
  type TruncationSide,
  within,
} from '#contracts';
import { type AttentionBudget, type Encoded, PromptTooLongError, TextTooComplexError, type Tokenizer } from '#model';
import { MicroBatcher } from '../batching/micro-batcher.js';
import type { Device, DeviceResult, PackedBatch } from '../device/device.js';
import { type DeviceInput, DeviceLoop } from '../device/device-loop.js';
import { type InputSignals, onAbort } from './abort-signals.js';
import { Call } from './call.js';
import { encodeEach } from './encode-each.js';
import type { BatchReport, EngineStats, RunTimings } from './engine-stats.js';

export interface RunOptions {
  /** Prepended unchanged to every text, in a pair to the first; empty for none. */
  readonly prompt: string;
  readonly truncate: TruncationSide;
  readonly lane: Lane;
  /** Aborting cancels inputs that the device has not begun. One signal for all inputs, or a list, one per input. */
  readonly signals?: InputSignals;
  /** Whether the inputs count in `stats().texts`; false for the self-test. Default: true. */
  readonly counted?: boolean;
  /** Called when all outcomes are known. */
  readonly onTimings?: ((timings: RunTimings) => void) | undefined;
}

export interface EngineOptions {
  readonly tokenizer: Tokenizer;
  readonly device: Device;
  /** Longest sequence of the model, tokens. */
  readonly maxTokens: number;
  /** Token id for padding. Default: 0. */
  readonly padId?: number;
  /** Whether a text without any token has a vector, that of one padding token. Default: false. */
  readonly takesEmpty?: boolean;
  /** Maximum padded tokens (rows x longest row) of a micro-batch. */
  readonly tokenBudget: number;
  readonly maxRows: number;
  /** Memory of attention. Default: not limited. */
  readonly attention?: AttentionBudget | undefined;
  /** Inputs that are sorted and planned together. The engine has no limit on inputs: callers must bound them. */
  readonly lookaheadTexts: number;
  /** Share of micro-batches that bulk gets while interactive inputs keep coming, 0..1. */
  readonly bulkShare: number;
  /** Fixed cost of a batch, in tokens: a small value gives batches with little padding, a large value full ones. */
  readonly overheadTokens?: number;
}

/** The engine is closed: its inputs may be retried elsewhere. */
export class EngineClosedError extends Error {
  override readonly name = 'EngineClosedError';
}

/** A tokenised input of a call. */
class EngineInput implements DeviceInput {
  readonly call: Call;
  /** Index within its call. */
  readonly index: number;
  readonly lane: Lane;
  readonly ids: Int32Array;
  readonly types: Int32Array | null;
  /** Of the text: fewer than `length` where it has none. */
  readonly tokens: number;
  readonly truncated: boolean;
  readonly promptTokens: number;
  readonly arrival: number;
  /** When it was tokenised and could first join a batch, by `performance.now()`. */
  readonly readyAt = performance.now();

  /** @param ids what the device gets: those of `encoded`, or one padding token if there are none */
  constructor(call: Call, index: number, lane: Lane, encoded: Encoded, ids: Int32Array, arrival: number) {
    const { promptTokens = 0, truncated, types } = encoded;
    this.call = call;
    this.index = index;
    this.lane = lane;
    this.ids = ids;
    this.tokens = encoded.ids.length;
    this.types = types;
    this.truncated = truncated;
    this.promptTokens = promptTokens;
    this.arrival = arrival;
  }

  get length(): number {
    return this.ids.length;
  }

  get isSettled(): boolean {
    return this.call.isSettled(this.index);
  }
}

/** Overhead of a batch if it was not measured, and its lower bound, for the round trip to the device thread; tokens. */
export const DEFAULT_OVERHEAD_TOKENS = 16;
/** Inputs tokenised at a time, so that the device starts before a long list is tokenised completely. */
const TOKENIZE_INPUTS = 256;

/**
 * An engine turns inputs into rows: it tokenises them off the main thread, groups them into micro-batches, runs these
 * on the device, and returns each row to its call.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #batcher: MicroBatcher<EngineInput>;
  readonly #loop: DeviceLoop<EngineInput>;
  readonly #calls = new Set<Call>();
  readonly #listeners: ((report: BatchReport) => void)[] = [];
  readonly #tokenizing: Record<Lane, number> = { interactive: 0, bulk: 0 };
  readonly #sums = { texts: 0, tokens: 0, paddedTokens: 0, batches: 0, busyMs: 0, failedTexts: 0, cancelledTexts: 0 };
  #arrivals = 0;
  #closing: Promise<void> | undefined;

  /** @throws BootError when the model's longest text does not fit in a batch */
  constructor(options: EngineOptions) {
    const { device, maxTokens, tokenBudget, overheadTokens = DEFAULT_OVERHEAD_TOKENS } = options;
    requireRoom(maxTokens, tokenBudget);
    this.#options = options;
    this.#batcher = new MicroBatcher({ ...options, overheadTokens });
    this.#loop = new DeviceLoop({
      device,
      batcher: this.#batcher,
      padId: options.padId ?? 0,
      onValues: (inputs, packed, result) => this.#deliver(inputs, packed, result),
      onFailedInput: (input, reason) => this.#fail(input.call, input.index, reason),
      onUnavailable: (inputs, error) => {
        for (const { call } of inputs) call.fail(error);
      },
    });
  }

  /** Restarts the device after the batches it already has; a new session may fix a broken one. */
  restartDevice(): void {
    this.#options.device.restart?.();
  }

  /** Floats per row. */
  get width(): number {
    return this.#options.device.width;
  }

  /** Description of the device, for display: `cpu, 2 threads`. */
  get device(): string {
    return this.#options.device.description;
  }

  /**
   * Computes inputs. An input that cannot be computed gets an error as its outcome.
   * @returns one outcome per input, in order. Rows are views on the bytes of their batch: copy rows that are kept.
   * @throws DeviceUnavailableError; EngineClosedError; the tokenizer's error when it was lost at each of up to 256
   * consecutive inputs. After any of these all inputs may be retried.
   */
  async run(inputs: readonly ModelTexts[], options: RunOptions): Promise<Outcome[]> {
    if (this.#closing !== undefined) throw new EngineClosedError('the engine is closed');
    const call = new Call(inputs.length, options.counted ?? true);
    const began = performance.now();
    const held: (EngineInput | undefined)[] = Array.from({ length: inputs.length });
    const stopListening = onAbort(inputs.length, options.signals, (index) => {
      const input = held[index];
      if (call.isSettled(index) || (input !== undefined && !this.#loop.drop(input))) return;
      this.#sums.cancelledTexts++;
      call.settle(index, CANCELLED);
    });
    this.#calls.add(call);
    this.#tokenize(call, inputs, options, held).catch((error: unknown) => {
      call.fail(error instanceof Error ? error : new Error(String(error)));
    });
    try {
      const outcomes = await call.outcomes;
      options.onTimings?.(timingsOf(call, began));
      return outcomes;
    } finally {
      stopListening();
      this.#calls.delete(call);
      for (const input of held) if (input !== undefined) this.#batcher.remove(input);
    }
  }

  /** Totals since the engine started. */
  stats(): EngineStats {
    return {
      ...this.#sums,
      deviceRestarts: this.#options.device.restarts,
      queued: {
        interactive: this.#tokenizing.interactive + this.#batcher.queued('interactive'),
        bulk: this.#tokenizing.bulk + this.#batcher.queued('bulk'),
      },
    };
  }

  /** Calls the listener after every batch that the device completed. */
  onBatch(listener: (report: BatchReport) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Accepts no more inputs, finishes the current calls, and stops the device and the tokenizer. Calls that are not
   * finished at the deadline reject with `EngineClosedError`.
   */
  close(options: { deadlineMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number | undefined): Promise<void> {
    const finished = Promise.allSettled([...this.#calls].map((call) => call.outcomes));
    // Unfinished calls are rejected below.
    await (deadlineMs === undefined ? finished : within(deadlineMs, finished).catch(() => undefined));
    for (const call of this.#calls) call.fail(new EngineClosedError('the engine was closed before it came to this'));
    await Promise.all([this.#options.device.close(), this.#options.tokenizer.close()]);
  }

  /** Tokenises the inputs and adds them to the batcher, `TOKENIZE_INPUTS` at a time. */
  async #tokenize(
    call: Call,
    inputs: readonly ModelTexts[],
    { prompt, truncate, lane }: RunOptions,
    held: (EngineInput | undefined)[],
  ): Promise<void> {
    const { tokenizer, maxTokens } = this.#options;
    let left = inputs.length;
    this.#tokenizing[lane] += left;
    try {
      for (let start = 0; start < inputs.length; start += TOKENIZE_INPUTS) {
        const part = inputs.slice(start, start + TOKENIZE_INPUTS);
        if (part.every((_, offset) => call.isSettled(start + offset))) continue;
        const encoded = await encodeEach(tokenizer, part, { prompt, truncate, maxTokens, lane });
        left -= part.length;
        this.#tokenizing[lane] -= part.length;
        for (const [offset, one] of encoded.entries())
          held[start + offset] = this.#add(call, start + offset, lane, one);
        this.#loop.added(lane);
      }
      call.tokenizedAt = performance.now();
    } finally {
      this.#tokenizing[lane] -= left;
    }
  }

  #add(call: Call, index: number, lane: Lane, encoded: Encoded | Error): EngineInput | undefined {
    if (call.isSettled(index)) return undefined;
    if (encoded instanceof Error) {
      const coded = encoded instanceof TextTooComplexError || encoded instanceof PromptTooLongError;
      this.#fail(call, index, encoded.message, coded ? encoded.code : undefined);
      return undefined;
    }
    const { maxTokens, padId = 0, takesEmpty = false } = this.#options;
    const ids = encoded.ids.length === 0 && takesEmpty ? Int32Array.of(padId) : encoded.ids;
    if (ids.length === 0 || ids.length > maxTokens) {
      this.#fail(call, index, `it has ${ids.length} tokens, the model takes 1 to ${maxTokens}`);
      return undefined;
    }
    const input = new EngineInput(call, index, lane, encoded, ids, this.#arrivals++);
    this.#batcher.add(input);
    return input;
  }

  #deliver(inputs: readonly EngineInput[], packed: PackedBatch, { values, deviceMs }: DeviceResult): void {
    const { width } = this;
    const rowBytes = ROW_HEAD_BYTES + width * Float32Array.BYTES_PER_ELEMENT;
    // One allocation for all rows of the batch. Each is a multiple of 4 bytes, so its floats can be read in place.
    const rows = Buffer.allocUnsafeSlow(inputs.length * rowBytes);
    const laneRows = { interactive: 0, bulk: 0 };
    let tokens = 0;
    let readyAt = Infinity;
    for (const [n, input] of inputs.entries()) {
      laneRows[input.lane]++;
      tokens += input.tokens;
      input.call.deviceMs = deviceMs;
      readyAt = Math.min(readyAt, input.readyAt);
      const floats = values.subarray(n * width, (n + 1) * width);
      if (!isFinite(floats)) {
        this.#fail(input.call, input.index, 'the model gives numbers that are not finite');
        continue;
      }
      const row = encodeRow(floats, input.tokens, input.truncated, rows.subarray(n * rowBytes, (n + 1) * rowBytes));
      if (input.call.settle(input.index, row)) this.#sums.texts += Number(input.call.counted);
    }
    const paddedTokens = packed.rows * packed.tokens;
    this.#sums.batches++;
    this.#sums.tokens += tokens;
    this.#sums.paddedTokens += paddedTokens;
    this.#sums.busyMs += deviceMs;
    const queueMs = Math.max(0, performance.now() - readyAt - deviceMs);
    const report: BatchReport = { rows: packed.rows, laneRows, tokens, paddedTokens, deviceMs, queueMs };
    for (const listener of this.#listeners) listener(report);
  }

  #fail(call: Call, index: number, reason: string, code: TextError['code'] = 'inference_failed'): void {
    const message = `the model cannot compute this text: ${reason.split('\n', 1)[0]!.slice(0, 300)}`;
    if (call.settle(index, { code, message })) this.#sums.failedTexts += Number(call.counted);
  }
}

function timingsOf({ deviceMs, tokenizedAt }: Call, began: number): RunTimings {
  const allMs = performance.now() - began;
  // 0 when all texts were cancelled before they were tokenised.
  const tokenizeMs = tokenizedAt === 0 ? allMs : Math.min(allMs, tokenizedAt - began);
  const inferenceMs = Math.min(allMs - tokenizeMs, deviceMs);
  return { tokenizeMs, batchMs: allMs - tokenizeMs - inferenceMs, inferenceMs };
}

/** @throws BootError when a text of the model's maximum length does not fit in a batch */
export function requireRoom(maxTokens: number, tokenBudget: number): void {
  if (maxTokens <= tokenBudget) return;
  throw new BootError(
    `the model takes texts of ${maxTokens} tokens, more than a micro-batch may hold (EMBED_TOKEN_BUDGET=${tokenBudget})`,
  );
}

const CANCELLED: TextError = { code: 'cancelled', message: 'the text was cancelled before it was computed' };

/** The sum is finite if and only if all terms are: float32 terms cannot overflow a double. */
function isFinite(floats: Float32Array): boolean {
  let sum = 0;
  // Indexed loop: an iterator takes several times as long, and this runs for every row.
  for (let index = 0; index < floats.length; index++) sum += floats[index]!;
  return Number.isFinite(sum);
}
