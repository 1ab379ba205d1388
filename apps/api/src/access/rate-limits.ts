import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Caller, type RateUnit } from '#contracts';
import type { RateWindow, RateWindows } from '#access';
import type { FastifyReply } from 'fastify';
import { resetTime } from './reset-time.js';

/** Limits per minute of keys that have no limits of their own; undefined: no limit. */
export type DefaultLimits = Readonly<Record<RateUnit, number | undefined>>;

interface Limit {
  readonly unit: RateUnit;
  readonly keyId: string;
  /** Per minute. */
  readonly most: number;
}

/**
 * Rate limits of each API key: requests and tokens in windows of one minute, counted over all API processes. Responses
 * carry OpenAI's `x-ratelimit-*` headers with what is left.
 */
export class RateLimits {
  readonly #windows: RateWindows;
  readonly #defaults: DefaultLimits;

  constructor(windows: RateWindows, defaults: DefaultLimits) {
    this.#windows = windows;
    this.#defaults = defaults;
  }

  /**
   * Charges one request and its estimated tokens, then calls `run`. The tokens are refunded when `run` throws an
   * ApiError below 500. A request whose tokens exceed the limit still counts as one request.
   * @param estimate tokens
   * @param run may call `settle` with the actual number of tokens, to correct the estimate
   * @throws ApiError 429 `rate_limit_exceeded` with `Retry-After`; 400 `request_too_large` when the estimate exceeds
   * the limit of a whole minute; what `run` throws
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
      // A refused request did no work.
      if (error instanceof ApiError && error.status < 500) await settle(0);
      throw error;
    }
  }

  /** Counts one request. @throws ApiError 429 `rate_limit_exceeded` */
  async request(caller: Caller, reply: FastifyReply): Promise<void> {
    const limit = this.#limit('requests', caller);
    if (limit !== null) await this.#take(limit, 1, reply);
  }

  /** Takes `tokens` as they become free, which slows an upload to the key's limit. @throws the signal's reason */
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

  /** null: no limit. */
  #limit(unit: RateUnit, { keyId, limits }: Caller): Limit | null {
    const own = unit === 'requests' ? limits.requestsPerMinute : limits.tokensPerMinute;
    const most = own ?? this.#defaults[unit];
    return most === undefined || keyId === null ? null : { unit, keyId, most };
  }
}
