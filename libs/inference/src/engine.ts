import { BootError, type Lane, type TextResult, type TruncationSide, within } from '#contracts';
import { TokenizerThread, type Encoded, type RunnableModel, type Tokenizer } from '#model';
import { onAbort, type TextSignals } from './abort-signals.js';
import type { Device, DeviceResult, PackedBatch } from './device.js';
import { parseDevice } from './device-choice.js';
import { DeviceLoop, type DeviceText } from './device-loop.js';
import { EmbedCall } from './embed-call.js';
import { encodeEach } from './encode-each.js';
import type { BatchReport, EmbedTimings, EngineStats } from './engine-stats.js';
import { MicroBatcher } from './micro-batcher.js';
import { OnnxDevice, type DeviceRestart } from './onnx-device.js';

export interface EmbedOptions {
  /** Put before every text as it is; empty for none. */
  readonly prompt: string;
  readonly truncate: TruncationSide;
  readonly lane: Lane;
  /** Aborting drops a text that has not reached the device; one signal for all texts or one (or none) for each. */
  readonly signals?: TextSignals;
  /** Whether the texts count in `stats().texts`; false for those that nobody asked for. Default true. */
  readonly counted?: boolean;
  /** Called when all results are there. */
  readonly onTimings?: ((timings: EmbedTimings) => void) | undefined;
}

export interface EngineOptions {
  readonly tokenizer: Tokenizer;
  readonly device: Device;
  /** Longest sequence of the model, tokens. */
  readonly maxTokens: number;
  /** Default 0. */
  readonly padId?: number;
  /** Padded tokens (rows x longest row) of a micro-batch. */
  readonly tokenBudget: number;
  readonly maxRows: number;
  /** Texts that are sorted and planned together. The engine takes all it is given: callers bound what they hand in. */
  readonly lookaheadTexts: number;
  /** Share of micro-batches that bulk gets while interactive texts keep coming, 0..1. */
  readonly bulkShare: number;
  /** What a batch costs before its first token, in tokens: small gives tight batches, large gives full ones. */
  readonly overheadTokens?: number;
}

export interface EngineStartOptions {
  /** `cpu`, `cuda:N` or `webgpu`. */
  readonly device: string;
  /** Intra-op threads of a CPU device. */
  readonly threads: number;
  /** Default: the least that the device is about as fast with as with any, found by trying. */
  readonly tokenBudget?: number | undefined;
  readonly maxRows: number;
  readonly lookaheadTexts: number;
  readonly bulkShare: number;
  /** Called when the device died and will be started again. */
  readonly onRestart?: ((restart: DeviceRestart) => void) | undefined;
}

/** The engine is closed: its texts may be tried elsewhere. */
export class EngineClosedError extends Error {
  override readonly name = 'EngineClosedError';
}

/** A text of a call, tokenised. */
class EngineText implements DeviceText {
  readonly call: EmbedCall;
  /** Place within its call. */
  readonly index: number;
  readonly lane: Lane;
  readonly ids: Int32Array;
  readonly truncated: boolean;
  readonly arrival: number;
  /** When it could first have joined a batch, ms. */
  readonly readyAt = performance.now();

  constructor(call: EmbedCall, index: number, lane: Lane, { ids, truncated }: Encoded, arrival: number) {
    this.call = call;
    this.index = index;
    this.lane = lane;
    this.ids = ids;
    this.truncated = truncated;
    this.arrival = arrival;
  }

  get length(): number {
    return this.ids.length;
  }

  get isSettled(): boolean {
    return this.call.isSettled(this.index);
  }
}

/** A batch's overhead where no warm-up measured it, and the least it is with the way to the device and back; tokens. */
const DEFAULT_OVERHEAD_TOKENS = 16;
/** Texts tokenised at a time, so that the device begins before a long list is through. */
const TOKENIZE_TEXTS = 256;

/**
 * An engine turns texts into raw pooled vectors: tokenise off the main thread, put into micro-batches, run on the
 * device, hand every result to its place.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #batcher: MicroBatcher<EngineText>;
  readonly #loop: DeviceLoop<EngineText>;
  readonly #calls = new Set<EmbedCall>();
  readonly #listeners: ((report: BatchReport) => void)[] = [];
  readonly #tokenizing: Record<Lane, number> = { interactive: 0, bulk: 0 };
  readonly #sums = { texts: 0, tokens: 0, paddedTokens: 0, batches: 0, busyMs: 0, failedTexts: 0, cancelledTexts: 0 };
  #arrivals = 0;
  #closing: Promise<void> | undefined;

  /** @throws BootError when the model's longest text does not fit a batch. */
  constructor(options: EngineOptions) {
    const { device, maxTokens, tokenBudget, overheadTokens = DEFAULT_OVERHEAD_TOKENS } = options;
    requireRoom(maxTokens, tokenBudget);
    this.#options = options;
    this.#batcher = new MicroBatcher({ ...options, overheadTokens });
    this.#loop = new DeviceLoop({
      device,
      batcher: this.#batcher,
      padId: options.padId ?? 0,
      onVectors: (texts, packed, result) => this.#deliver(texts, packed, result),
      onFailedText: (text, reason) => this.#fail(text.call, text.index, reason),
      onUnavailable: (texts, error) => {
        for (const text of texts) text.call.fail(error);
      },
    });
  }

  /**
   * Starts the model's tokenizer and its device.
   * @throws BootError, one line, when the device cannot be had or the model's longest text does not fit a batch.
   */
  static async start(model: RunnableModel, options: EngineStartOptions): Promise<Engine> {
    const { threads, onRestart, ...limits } = options;
    const { maxTokens } = model.card;
    const choice = parseDevice(options.device);
    if (options.tokenBudget !== undefined) requireRoom(maxTokens, options.tokenBudget);
    const tokenizer = await TokenizerThread.start(model.tokenizerFiles);
    try {
      const given = options.tokenBudget;
      const device = await OnnxDevice.start({
        model,
        device: choice,
        threads,
        tokenBudget: given,
        maxTokens,
        onRestart,
      });
      const { tokenBudget } = device.speed;
      const overheadTokens = plausibleOverhead(device.speed.overheadTokens, tokenBudget);
      return new Engine({
        ...limits,
        tokenizer,
        device,
        maxTokens,
        padId: model.padTokenId,
        tokenBudget,
        overheadTokens,
      });
    } catch (error) {
      await tokenizer.close();
      throw error;
    }
  }

  /** Starts the device anew after what it has to do: what a broken session may be mended by. */
  restartDevice(): void {
    this.#options.device.restart?.();
  }

  /** Floats per vector. */
  get dimensions(): number {
    return this.#options.device.dimensions;
  }

  /** The device, for people: `cpu, 2 threads`. */
  get device(): string {
    return this.#options.device.description;
  }

  /**
   * Embeds texts: one result for each, in their order. A text at fault gives a result with its error.
   *
   * Vectors (`[dimensions]`, raw) are views on the buffer of their whole batch: copy what you keep.
   *
   * Rejects, and all of the texts may be tried again, with `DeviceUnavailableError` or `EngineClosedError`, or with the
   * tokenizer's error when it can tokenise none of them.
   */
  async embed(texts: readonly string[], options: EmbedOptions): Promise<TextResult[]> {
    if (this.#closing !== undefined) throw new EngineClosedError('the engine is closed');
    const call = new EmbedCall(texts.length, options.counted ?? true);
    const began = performance.now();
    const held: (EngineText | undefined)[] = Array.from({ length: texts.length });
    const stopListening = onAbort(texts.length, options.signals, (index) => {
      const text = held[index];
      if (call.isSettled(index) || (text !== undefined && !this.#loop.drop(text))) return;
      this.#sums.cancelledTexts++;
      call.settle(index, failure('cancelled', 'the text was cancelled before it was computed'));
    });
    this.#calls.add(call);
    this.#handIn(call, texts, options, held).catch((error: unknown) => {
      call.fail(error instanceof Error ? error : new Error(String(error)));
    });
    try {
      const results = await call.results;
      options.onTimings?.(timingsOf(call, began));
      return results;
    } finally {
      stopListening();
      this.#calls.delete(call);
      for (const text of held) if (text !== undefined) this.#batcher.remove(text);
    }
  }

  /** What the engine did so far. */
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

  /** Calls the listener after every batch that gave vectors. */
  onBatch(listener: (report: BatchReport) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Takes no further texts, finishes those it has, and ends the device and the tokenizer. What is not finished at the
   * deadline rejects with `EngineClosedError`.
   */
  close(options: { deadlineMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number | undefined): Promise<void> {
    const finished = Promise.allSettled([...this.#calls].map((call) => call.results));
    // What is late fails below.
    await (deadlineMs === undefined ? finished : within(deadlineMs, finished).catch(() => undefined));
    for (const call of this.#calls) call.fail(new EngineClosedError('the engine was closed before it came to this'));
    await Promise.all([this.#options.device.close(), this.#options.tokenizer.close()]);
  }

  /** Tokenises the texts and gives them to the batcher, part by part. */
  async #handIn(
    call: EmbedCall,
    texts: readonly string[],
    { prompt, truncate, lane }: EmbedOptions,
    held: (EngineText | undefined)[],
  ): Promise<void> {
    const { tokenizer, maxTokens } = this.#options;
    let left = texts.length;
    this.#tokenizing[lane] += left;
    try {
      for (let start = 0; start < texts.length; start += TOKENIZE_TEXTS) {
        const part = texts.slice(start, start + TOKENIZE_TEXTS);
        if (part.every((_, offset) => call.isSettled(start + offset))) continue;
        const encoded = await encodeEach(tokenizer, part, { prompt, truncate, maxTokens });
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

  #add(call: EmbedCall, index: number, lane: Lane, encoded: Encoded | Error): EngineText | undefined {
    if (call.isSettled(index)) return undefined;
    if (encoded instanceof Error) {
      this.#fail(call, index, encoded.message);
      return undefined;
    }
    const { length } = encoded.ids;
    if (length === 0 || length > this.#options.maxTokens) {
      this.#fail(call, index, `it has ${length} tokens, the model takes 1 to ${this.#options.maxTokens}`);
      return undefined;
    }
    const text = new EngineText(call, index, lane, encoded, this.#arrivals++);
    this.#batcher.add(text);
    return text;
  }

  #deliver(texts: readonly EngineText[], packed: PackedBatch, { vectors, deviceMs }: DeviceResult): void {
    const { dimensions } = this;
    const laneRows = { interactive: 0, bulk: 0 };
    let tokens = 0;
    let readyAt = Infinity;
    for (const [row, text] of texts.entries()) {
      laneRows[text.lane]++;
      tokens += text.length;
      text.call.deviceMs = deviceMs;
      readyAt = Math.min(readyAt, text.readyAt);
      const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
      if (!isFinite(vector)) {
        this.#fail(text.call, text.index, 'the model gives a vector that is not finite');
      } else if (text.call.settle(text.index, { ok: true, vector, tokens: text.length, truncated: text.truncated })) {
        this.#sums.texts += Number(text.call.counted);
      }
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

  #fail(call: EmbedCall, index: number, reason: string): void {
    const message = `the model cannot compute this text: ${reason.split('\n', 1)[0]!.slice(0, 300)}`;
    if (call.settle(index, failure('inference_failed', message))) this.#sums.failedTexts++;
  }
}

function timingsOf({ deviceMs, tokenizedAt }: EmbedCall, began: number): EmbedTimings {
  const allMs = performance.now() - began;
  // Cancelled texts end a call before they are tokenised.
  const tokenizeMs = tokenizedAt === 0 ? allMs : Math.min(allMs, tokenizedAt - began);
  const inferenceMs = Math.min(allMs - tokenizeMs, deviceMs);
  return { tokenizeMs, batchMs: allMs - tokenizeMs - inferenceMs, inferenceMs };
}

function requireRoom(maxTokens: number, tokenBudget: number): void {
  if (maxTokens <= tokenBudget) return;
  throw new BootError(
    `the model takes texts of ${maxTokens} tokens, more than a micro-batch may hold (EMBED_TOKEN_BUDGET=${tokenBudget})`,
  );
}

/** A warm-up disturbed by other work must not make batches of single rows, nor full ones whatever their padding. */
function plausibleOverhead(measuredTokens: number, tokenBudget: number): number {
  return Math.max(DEFAULT_OVERHEAD_TOKENS, Math.min(measuredTokens, tokenBudget / 8));
}

function failure(code: 'inference_failed' | 'cancelled', message: string): TextResult {
  return { ok: false, error: { code, message } };
}

/** A sum is finite exactly if all its terms are: float32 terms cannot overflow a double. */
function isFinite(vector: Float32Array): boolean {
  let sum = 0;
  // By index: an iterator takes several times as long, and every vector passes here.
  for (let index = 0; index < vector.length; index++) sum += vector[index]!;
  return Number.isFinite(sum);
}
