import type { Keys, RateUnit } from '#contracts';
import { type RedisClient, script } from '#store';

/** What is left after an attempt to take. */
export interface RateWindow {
  /** Whether it was taken; all of it, or none. */
  readonly fits: boolean;
  /** Of the limit, in this window. */
  readonly used: number;
  /** Until the window ends and all is free again, ms. */
  readonly endsInMs: number;
}

const takeScript = script('take-rate', new URL('./lua/take-rate.lua', import.meta.url));
const settleScript = script('settle-rate', new URL('./lua/settle-rate.lua', import.meta.url));

/** What API keys used in the present window of time, counted in Redis for all API processes. */
export class RateWindows {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #windowMs: number;

  constructor(redis: RedisClient, keys: Keys, windowMs: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#windowMs = windowMs;
  }

  /** What does not fit is not counted. */
  async take(unit: RateUnit, keyId: string, points: number, limit: number): Promise<RateWindow> {
    const args = [points, limit, this.#windowMs];
    const [fits, used, endsInMs] = (await takeScript(this.#redis, [this.#keys.rate(unit, keyId)], args)) as [
      number,
      number,
      number,
    ];
    return { fits: fits === 1, used, endsInMs };
  }

  /** @param points that were more than taken; fewer with a minus */
  async settle(unit: RateUnit, keyId: string, points: number): Promise<void> {
    await settleScript(this.#redis, [this.#keys.rate(unit, keyId)], [points]);
  }
}
