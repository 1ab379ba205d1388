import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Caller, type Keys } from '#contracts';
import type { FastifyReply } from 'fastify';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { resetTime } from './reset-time.js';

const WINDOW_SECONDS = 60;

type Unit = 'requests' | 'tokens';

/** Limits of keys that have none of their own, a minute; undefined for none. */
export interface DefaultLimits {
  readonly requests: number | undefined;
  readonly tokens: number | undefined;
}

/** Tokens taken by an estimate, to be made right when they have been counted. */
export interface Charge {
  /** @param tokens that it really was */
  settle(tokens: number): Promise<void>;
}

/**
 * Requests and tokens of each API key in windows of a minute, counted in Redis for all API processes. What is refused
 * is not counted. Answers tell as OpenAI's do how much is left.
 */
export class RateLimits {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #defaults: DefaultLimits;
  readonly #limiters = new Map<string, RateLimiterRedis>();

  constructor(redis: Redis, keys: Keys, defaults: DefaultLimits) {
    this.#redis = redis;
    this.#keys = keys;
    this.#defaults = defaults;
  }

  /**
   * Counts one request and the tokens that it is estimated to have.
   * @throws ApiError 429 `rate_limit_exceeded` with `Retry-After`; 400 `request_too_large` when no wait would help
   */
  async charge(caller: Caller, tokens: number, reply: FastifyReply): Promise<Charge> {
    await this.request(caller, reply);
    await this.#take('tokens', caller, tokens, reply);
    return {
      settle: async (counted) => {
        const limiter = this.#limiter('tokens', caller);
        if (limiter === null || counted === tokens) return;
        const { keyId } = caller;
        await (counted > tokens ? limiter.penalty(keyId!, counted - tokens) : limiter.reward(keyId!, tokens - counted));
      },
    };
  }

  /** Counts one request. @throws ApiError 429 `rate_limit_exceeded` */
  request(caller: Caller, reply: FastifyReply): Promise<void> {
    return this.#take('requests', caller, 1, reply);
  }

  /** Waits until so many tokens may be taken: what an upload is slowed by. @throws the signal's reason */
  async pace(caller: Caller, tokens: number, signal: AbortSignal): Promise<void> {
    const limiter = this.#limiter('tokens', caller);
    if (limiter === null) return;
    for (let left = tokens; left > 0;) {
      const part = Math.min(left, limiter.points);
      const taken = await consume(limiter, caller.keyId!, part);
      if (taken.fits) {
        left -= part;
      } else {
        await sleep(taken.state.msBeforeNext, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  async #take(unit: Unit, caller: Caller, count: number, reply: FastifyReply): Promise<void> {
    const limiter = this.#limiter(unit, caller);
    if (limiter === null) return;
    const limit = limiter.points;
    const { fits, state } = await consume(limiter, caller.keyId!, count);
    void reply
      .header(`x-ratelimit-limit-${unit}`, limit)
      .header(`x-ratelimit-remaining-${unit}`, Math.max(0, state.remainingPoints))
      .header(`x-ratelimit-reset-${unit}`, resetTime(state.msBeforeNext));
    if (fits) return;
    if (count > limit) {
      throw new ApiError({
        status: 400,
        code: 'request_too_large',
        param: 'input',
        message: `The request has about ${count} tokens; this API key may use ${limit} a minute. Send less at a time, or upload application/x-ndjson to /v1/jobs, which is slowed instead.`,
      });
    }
    throw new ApiError({
      status: 429,
      code: 'rate_limit_exceeded',
      message: `This API key may use ${limit} ${unit} a minute: ${limit - Math.max(0, state.remainingPoints)} are used, ${count} asked for. Try again in ${resetTime(state.msBeforeNext)}.`,
      retryAfter: state.msBeforeNext / 1000,
    });
  }

  /** null for no limit. */
  #limiter(unit: Unit, { keyId, limits }: Caller): RateLimiterRedis | null {
    const own = unit === 'requests' ? limits.requestsPerMinute : limits.tokensPerMinute;
    const points = own ?? this.#defaults[unit];
    if (points === undefined || keyId === null) return null;
    const at = `${unit} ${points}`;
    let limiter = this.#limiters.get(at);
    if (limiter === undefined) {
      limiter = new RateLimiterRedis({
        storeClient: this.#redis,
        keyPrefix: this.#keys.rates(unit),
        points,
        duration: WINDOW_SECONDS,
      });
      this.#limiters.set(at, limiter);
    }
    return limiter;
  }
}

/** Takes points, or none when there are not enough. Rejects only when Redis does. */
async function consume(
  limiter: RateLimiterRedis,
  key: string,
  points: number,
): Promise<{ fits: boolean; state: RateLimiterRes }> {
  try {
    return { fits: true, state: await limiter.consume(key, points) };
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return { fits: false, state: await limiter.reward(key, points) };
  }
}
