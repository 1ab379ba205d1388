import { type Asked, apiErrorOf } from './api-error.js';
import { EmbedmillConnectionError, EmbedmillError } from './errors.js';
import type { Fetch, FetchInit } from './fetch.js';

/** A request, ready to be sent. */
export interface Outgoing {
  readonly fetch: Fetch;
  readonly url: string;
  readonly init: Omit<FetchInit, 'signal'>;
  /** Statuses besides 2xx whose body is an answer. */
  readonly accept: readonly number[];
  /** Longest until the answer is read, ms; Infinity: as long as it takes. */
  readonly timeoutMs: number;
  /** Of the caller. */
  readonly signal: AbortSignal | undefined;
  readonly asked: Asked;
}

/**
 * Sends a request once.
 * @param read the answer; the time-out ends with it
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
      // The status says the most of it, should the rest break off.
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
    // An answer that came before the end of an upload has refused the rest of it.
    if (init.duplex !== undefined) ended.abort();
  }
}

/** `ECONNREFUSED`: `fetch` itself only says that it failed, and an abort that it was one. */
function reasonOf(error: unknown): string {
  const { cause, code, message } = error as CodedError & { readonly cause?: CodedError };
  return cause?.code ?? cause?.message ?? (typeof code === 'string' ? code : message);
}

interface CodedError extends Error {
  /** A number in errors of the web platform. */
  readonly code?: string;
}
