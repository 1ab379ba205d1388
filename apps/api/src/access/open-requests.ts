import { ApiError, type Caller } from '#contracts';

const MOST_OPEN_REQUESTS = 1024;

/**
 * Limits the concurrent requests of each API key in this process, so that the slow requests of one key cannot take all
 * sockets and memory. With authentication off, all clients share one limit.
 */
export class OpenRequests {
  readonly #open = new Map<string, number>();
  readonly #most: number;

  /** @param most concurrent requests of one key, including requests that wait and event streams */
  constructor(most = MOST_OPEN_REQUESTS) {
    this.#most = most;
  }

  /** @returns a function to call when the request has ended. @throws ApiError 429 `too_many_open_requests` */
  enter({ keyId }: Caller): () => void {
    const key = keyId ?? '';
    const open = this.#open.get(key) ?? 0;
    if (open >= this.#most) {
      throw new ApiError({
        status: 429,
        code: 'too_many_open_requests',
        message: `${keyId === null ? 'Clients have' : 'This API key has'} ${open} requests open here, as many as it may. Wait for some of them.`,
        retryAfter: 1,
      });
    }
    this.#open.set(key, open + 1);
    return () => {
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }
}
