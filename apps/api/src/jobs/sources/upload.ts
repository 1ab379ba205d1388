import type { Readable } from 'node:stream';
import { ApiError } from '#contracts';
import { discardRest } from '../../http/discard-rest.js';
import { bodyTimeout } from '../../http/slow-bodies.js';

/**
 * Reads a request body chunk by chunk, with backpressure. The connection stays open when reading stops early, since the
 * response uses it.
 */
export class Upload {
  readonly #body: Readable;
  readonly #silenceMs: number;
  readonly #stop = new AbortController();

  /** @param silenceMs longest wait for the next chunk, ms; then the upload stops with 408 `body_timeout` */
  constructor(body: Readable, silenceMs: number) {
    this.#body = body;
    this.#silenceMs = silenceMs;
    body.once('close', () => {
      if (!body.readableEnded) this.stop(uploadAborted());
    });
    // Without a listener, an aborted request would be an uncaught exception.
    body.once('error', () => this.stop(uploadAborted()));
  }

  /** Aborts when the client disconnects, on a timeout and on `stop`; the reason is the error. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Stops reading, even during a wait for data; `chunks` throws `reason`. */
  stop(reason: Error): void {
    this.#stop.abort(reason);
  }

  /**
   * @throws the reason of `stop`; ApiError `upload_aborted` when the client disconnects, `body_timeout` on a timeout.
   */
  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      this.signal.throwIfAborted();
      const chunk = this.#body.read() as Buffer | null;
      if (chunk !== null) yield chunk;
      else if (this.#body.readableEnded) return;
      else await this.#more();
    }
  }

  /** Reads and discards the rest for a while: many clients read the response only after they have sent everything. */
  discardRest(): void {
    discardRest(this.#body);
  }

  /** Resolves when there may be data, when the body has ended or when reading must stop. */
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
