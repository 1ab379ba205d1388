import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Caller, type RateUnit } from '#contracts';
import type { RateWindow, RateWindows } from '#access';
import type { FastifyReply } from 'fastify';
import { resetTime } from './reset-time.js';

/** Limits of keys that have none of their own, a minute; undefined for none. */
export type DefaultLimits = Readonly<Record<RateUnit, number | undefined>>;

interface Limit {
  readonly unit: RateUnit;
  readonly keyId: string;
  /** A minute. */
  readonly most: number;
}

/**
 * Requests and tokens of each API key in windows of a minute, over all API processes. Answers tell as OpenAI's do how
 * much is left.
 */
export class RateLimits {
  readonly #windows: RateWindows;
  readonly #defaults: DefaultLimits;

  constructor(windows: RateWindows, defaults: DefaultLimits) {
    this.#windows = windows;
    this.#defaults = defaults;
  }

  /**
   * Does what a request asks for, and counts it: one request, and the tokens that it is estimated to have, which are given
   * back when `run` refuses it. A request whose tokens are refused counts as one.
   * @param run may settle the estimate with the tokens that it really was
   * @throws ApiError 429 `rate_limit_exceeded` with `Retry-After`; 400 `request_too_large` when no wait would help
   */
  async charged<T>(
    caller: Caller,
    estimate: number,
    reply: FastifyReply,
    run: (settle: (tokens: number) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    await this.request(caller, reply);
    const limit = this.#limit('tokens', caller);
    const endsInMs = limit === null ? 0 : (await this.#take(limit, estimate, reply)).endsInMs;
    const end = performance.now() + endsInMs;
    const settle = async (tokens: number) => {
      // Never refund into a later window; never fail a finished request because settling failed.
      if (limit === null || tokens === estimate || performance.now() >= end) return;
      await this.#windows.settle('tokens', limit.keyId, tokens - estimate).catch(() => undefined);
    };
    try {
      return await run(settle);
    } catch (error) {
      // Nothing was done for a request that was refused.
      if (error instanceof ApiError && error.status < 500) await settle(0);
      throw error;
    }
  }

  /** Counts one request. @throws ApiError 429 `rate_limit_exceeded` */
  async request(caller: Caller, reply: FastifyReply): Promise<void> {
    const limit = this.#limit('requests', caller);
    if (limit !== null) await this.#take(limit, 1, reply);
  }

  /** Takes so many tokens as they become free: what an upload is slowed by. @throws the signal's reason */
  async pace(caller: Caller, tokens: number, signal: AbortSignal): Promise<void> {
    const limit = this.#limit('tokens', caller);
    if (limit === null) return;
    let free = limit.most;
    for (let left = tokens; left > 0;) {
      const part = Math.min(left, free);
      const { fits, used, endsInMs } = await this.#windows.take('tokens', limit.keyId, part, limit.most);
      free = limit.most - used;
      if (fits) left -= part;
      if (left === 0 || free > 0) continue;
      await sleep(endsInMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      free = limit.most;
    }
  }

  async #take({ unit, keyId, most }: Limit, count: number, reply: FastifyReply): Promise<RateWindow> {
    const window = await this.#windows.take(unit, keyId, count, most);
    const { fits, used, endsInMs } = window;
    void reply
      .header(`x-ratelimit-limit-${unit}`, most)
      .header(`x-ratelimit-remaining-${unit}`, Math.max(0, most - used))
      .header(`x-ratelimit-reset-${unit}`, resetTime(endsInMs));
    if (fits) return window;
    if (count > most) {
      throw new ApiError({
        status: 400,
        code: 'request_too_large',
        param: 'input',
        message: `The request has about ${count} tokens; this API key may use ${most} a minute. Send less at a time, or upload application/x-ndjson to /v1/jobs, which is slowed instead.`,
      });
    }
    throw new ApiError({
      status: 429,
      code: 'rate_limit_exceeded',
      message: `This API key may use ${most} ${unit} a minute: ${used} are used, ${count} asked for. Try again in ${resetTime(endsInMs)}.`,
      retryAfter: endsInMs / 1000,
    });
  }

  /** null for none. */
  #limit(unit: RateUnit, { keyId, limits }: Caller): Limit | null {
    const own = unit === 'requests' ? limits.requestsPerMinute : limits.tokensPerMinute;
    const most = own ?? this.#defaults[unit];
    return most === undefined || keyId === null ? null : { unit, keyId, most };
  }
}
