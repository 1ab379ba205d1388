import { type Asked, apiErrorOf } from './api-error.js';
import { EmbedmillConnectionError, EmbedmillError } from './errors.js';
import type { Fetch, FetchInit } from './fetch.js';

/** A request that is ready to send. */
export interface Outgoing {
  readonly fetch: Fetch;
  readonly url: string;
  readonly init: Omit<FetchInit, 'signal'>;
  /** Statuses other than 2xx that are not errors. */
  readonly accept: readonly number[];
  /** Maximum time until the response has been read, ms; Infinity: no limit. */
  readonly timeoutMs: number;
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined;
  readonly asked: Asked;
}

/**
 * Sends a request once.
 * @param read reads the response, within the time-out
 * @throws EmbedmillError, or the reason of the caller's signal
 */
export async function sendOnce<T>(outgoing: Outgoing, read: (answer: Response) => Promise<T>): Promise<T> {
  const { accept, asked, init, signal, timeoutMs } = outgoing;
  const ended = new AbortController();
  const timer = Number.isFinite(timeoutMs)
    ? setTimeout(() => ended.abort(new Error(`not within ${timeoutMs / 1000} s`)), timeoutMs)
    : undefined;
  let answered = false;
  try {
    const answer = await outgoing.fetch(outgoing.url, {
      ...init,
      signal: signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal]),
    });
    answered = true;
    if (!answer.ok && !accept.includes(answer.status)) {
      // If the body breaks off, the status is still reported.
      const text = await answer.text().catch(() => '');
      signal?.throwIfAborted();
      throw apiErrorOf(answer, text, asked);
    }
    return await read(answer);
  } catch (error) {
    if (error instanceof EmbedmillError) throw error;
    signal?.throwIfAborted();
    throw new EmbedmillConnectionError({ url: asked.url, reason: reasonOf(error), answered, cause: error });
  } finally {
    clearTimeout(timer);
    // A response before the end of an upload means that the rest is refused: stop the upload.
    if (init.duplex !== undefined) ended.abort();
  }
}

/** The reason, such as `ECONNREFUSED`, from the error's cause: the message of `fetch` only says that it failed. */
function reasonOf(error: unknown): string {
  const { cause, code, message } = error as CodedError & { readonly cause?: CodedError };
  return cause?.code ?? cause?.message ?? (typeof code === 'string' ? code : message);
}

interface CodedError extends Error {
  /** A number in errors of the web platform (`DOMException`). */
  readonly code?: string;
}
