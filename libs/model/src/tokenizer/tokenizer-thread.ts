import { Worker } from 'node:worker_threads';
import { BootError, type ModelTexts } from '#contracts';
import type { TokenizerFiles } from '../types.js';
import type { Encoded, EncodeOptions, Tokenizer } from './tokenizer.js';
import type { EncodeReply, EncodeRequest } from './tokenizer-messages.js';

interface Pending {
  resolve(encoded: Encoded[]): void;
  reject(error: Error): void;
}

/** A tokenizer in its own thread. If the thread dies, pending calls reject, and the next call starts a new thread. */
export class TokenizerThread implements Tokenizer {
  readonly #files: TokenizerFiles;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #calls = 0;
  #closed = false;

  private constructor(files: TokenizerFiles) {
    this.#files = files;
  }

  /** @throws BootError when the tokenizer's files cannot be used */
  static async start(files: TokenizerFiles): Promise<TokenizerThread> {
    const tokenizer = new TokenizerThread(files);
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

  encode(inputs: readonly ModelTexts[], options: EncodeOptions): Promise<Encoded[]> {
    if (this.#closed) return Promise.reject(new Error('the tokenizer is closed'));
    if (inputs.length === 0) return Promise.resolve([]);
    const worker = this.#worker ?? this.#spawn();
    const lower = this.#files.lowerCase === true;
    return new Promise((resolve, reject) => {
      const id = this.#calls++;
      this.#pending.set(id, { resolve, reject });
      const request: EncodeRequest = {
        id,
        inputs: lower
          ? inputs.map((texts) => texts.map((text) => text.toLowerCase()) as unknown as ModelTexts)
          : inputs,
        options: lower ? { ...options, prompt: options.prompt.toLowerCase() } : options,
      };
      worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #spawn(): Worker {
    const worker = new Worker(new URL('./tokenizer-entry.js', import.meta.url), { workerData: this.#files });
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
    if ('error' in reply) {
      pending?.reject(new Error(reply.error));
      return;
    }
    let start = 0;
    const encoded: Encoded[] = [];
    for (const [n, end] of reply.ends.entries()) {
      const length = reply.lengths[n]!;
      const ids = reply.ids.subarray(start, end);
      encoded.push({ ids, types: reply.types?.subarray(start, end) ?? null, length, truncated: length > end - start });
      start = end;
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
