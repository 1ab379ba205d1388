import { ApiError, type Caller } from '#contracts';

const MOST_OPEN_REQUESTS = 1024;

/**
 * How many requests of one API key this process has open at a time, so that one key's slow ones cannot take all of its
 * sockets and memory. Where no keys are asked for, all clients together are one.
 */
export class OpenRequests {
  readonly #open = new Map<string, number>();
  readonly #most: number;

  /** @param most requests that one key may have open at a time, those that wait or look on included */
  constructor(most = MOST_OPEN_REQUESTS) {
    this.#most = most;
  }

  /** @returns what to call when it has ended. @throws ApiError 429 `too_many_open_requests` */
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
