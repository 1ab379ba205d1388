import type { Readable } from 'node:stream';
import { ApiError } from '#contracts';
import { discardRest } from '../../http/discard-rest.js';
import { bodyTimeout } from '../../http/slow-bodies.js';

/**
 * An upload is a request's body while it is read: chunk by chunk, never faster than they are asked for, and without
 * closing the connection when reading stops early, since the answer goes the same way.
 */
export class Upload {
  readonly #body: Readable;
  readonly #silenceMs: number;
  readonly #stop = new AbortController();

  /** @param silenceMs longest that nothing comes while it is read */
  constructor(body: Readable, silenceMs: number) {
    this.#body = body;
    this.#silenceMs = silenceMs;
    body.once('close', () => {
      if (!body.readableEnded) this.stop(uploadAborted());
    });
    // Without a listener an aborted request would be an uncaught error.
    body.once('error', () => this.stop(uploadAborted()));
  }

  /** Aborted when the client has gone or `stop` was called; its reason says which. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Ends the reading, even while it waits for the client; `chunks` throws the reason. */
  stop(reason: Error): void {
    this.#stop.abort(reason);
  }

  /** @throws the reason of `stop`, or ApiError `upload_aborted` when the client breaks off. */
  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      this.signal.throwIfAborted();
      const chunk = this.#body.read() as Buffer | null;
      if (chunk !== null) yield chunk;
      else if (this.#body.readableEnded) return;
      else await this.#more();
    }
  }

  /** Reads on into nothing for a while: a client that sends first and listens later still gets its answer. */
  discardRest(): void {
    discardRest(this.#body);
  }

  /** Settles when there may be something to read, the body has ended or reading is to stop. */
  #more(): Promise<void> {
    const body = this.#body;
    const { signal } = this;
    return new Promise((resolve) => {
      const silence = setTimeout(() => this.stop(bodyTimeout(this.#silenceMs)), this.#silenceMs);
      const wake = () => {
        clearTimeout(silence);
        // A `readable` listener left behind would keep `resume` from discarding the rest.
        body.off('readable', wake).off('end', wake).off('close', wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      body.on('readable', wake).on('end', wake).on('close', wake);
      signal.addEventListener('abort', wake);
    });
  }
}

function uploadAborted(): ApiError {
  return new ApiError({
    status: 400,
    code: 'upload_aborted',
    message: 'The connection closed before the upload was complete.',
  });
}
