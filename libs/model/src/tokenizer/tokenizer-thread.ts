import { Worker } from 'node:worker_threads';
import { BootError, type ModelTexts } from '#contracts';
import type { TokenizerFiles } from '../types.js';
import { chooseDriver } from './drivers/choose-driver.js';
import type { DriverName } from './drivers/driver.js';
import {
  type Encoded,
  type EncodeOptions,
  PromptTooLongError,
  TextTooComplexError,
  type Tokenizer,
} from './tokenizer.js';
import type { EncodeFailure, EncodeReply, EncodeRequest, TokenizerStart } from './tokenizer-messages.js';

interface Pending {
  resolve(encoded: (Encoded | Error)[]): void;
  reject(error: Error): void;
}

/** A tokenizer in its own thread. If the thread dies, pending calls reject, and the next call starts a new thread. */
export class TokenizerThread implements Tokenizer {
  readonly #start: TokenizerStart;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #calls = 0;
  #closed = false;

  private constructor(start: TokenizerStart) {
    this.#start = start;
  }

  /**
   * @param driver the library to use. Default: the native one, where it has a build.
   * @throws BootError when the tokenizer's files cannot be used
   */
  static async start(files: TokenizerFiles, driver?: DriverName): Promise<TokenizerThread> {
    const tokenizer = new TokenizerThread({ files, driver: driver ?? (await chooseDriver(files)).name });
    const worker = tokenizer.#spawn();
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        reject(new BootError(`the tokenizer cannot be used: ${reason}`, { cause: error }));
      });
    });
    return tokenizer;
  }

  encode(inputs: readonly ModelTexts[], options: EncodeOptions): Promise<(Encoded | Error)[]> {
    if (this.#closed) return Promise.reject(new Error('the tokenizer is closed'));
    if (inputs.length === 0) return Promise.resolve([]);
    const worker = this.#worker ?? this.#spawn();
    return new Promise((resolve, reject) => {
      const id = this.#calls++;
      this.#pending.set(id, { resolve, reject });
      const request: EncodeRequest = { id, inputs, options };
      worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #spawn(): Worker {
    const worker = new Worker(new URL('./tokenizer-entry.js', import.meta.url), { workerData: this.#start });
    this.#worker = worker;
    worker.on('message', (reply: EncodeReply | 'ready') => {
      if (reply !== 'ready') this.#settle(reply);
    });
    worker.on('error', (error: unknown) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('its thread ended')));
    return worker;
  }

  #settle(reply: EncodeReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    let start = 0;
    const encoded: (Encoded | Error)[] = [];
    for (const [n, end] of reply.ends.entries()) {
      const length = Math.abs(reply.lengths[n]!);
      encoded.push({
        ids: reply.ids.subarray(start, end),
        types: reply.types?.subarray(start, end) ?? null,
        ...(reply.offsets === null ? {} : { offsets: reply.offsets.subarray(2 * start, 2 * end) }),
        length,
        ...(reply.lengths[n]! < 0 ? { lengthIsLowerBound: true } : {}),
        truncated: length > end - start,
        promptTokens: reply.promptTokens[n]!,
      });
      start = end;
    }
    for (const failure of reply.failures) {
      encoded[failure.index] = errorOf(failure);
    }
    pending?.resolve(encoded);
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const reason = cause instanceof Error ? cause.message : String(cause);
    for (const { reject } of this.#pending.values()) reject(new Error(`the tokenizer broke off: ${reason}`, { cause }));
    this.#pending.clear();
  }
}

function errorOf({ code, message }: EncodeFailure): Error {
  if (code === 'text_too_complex') return new TextTooComplexError(message);
  if (code === 'prompt_too_long') return new PromptTooLongError(message);
  return new Error(message);
}
