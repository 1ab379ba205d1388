import type { Keys, RateUnit } from '#contracts';
import { type RedisClient, script } from '#store';

/** A key's window after an attempt to take points. */
export interface RateWindow {
  /** Whether the points were taken: all of them, or none. */
  readonly fits: boolean;
  /** Points taken in this window. */
  readonly used: number;
  /** Until the window ends and the whole limit is available again, ms. */
  readonly endsInMs: number;
}

const takeScript = script('take-rate', new URL('./lua/take-rate.lua', import.meta.url));
const settleScript = script('settle-rate', new URL('./lua/settle-rate.lua', import.meta.url));

/** What API keys have used in the current window, counted in Redis for all API processes. */
export class RateWindows {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #windowMs: number;

  constructor(redis: RedisClient, keys: Keys, windowMs: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#windowMs = windowMs;
  }

  /** Takes points if they fit in the limit; if they do not, none are counted. */
  async take(unit: RateUnit, keyId: string, points: number, limit: number): Promise<RateWindow> {
    const args = [points, limit, this.#windowMs];
    const [fits, used, endsInMs] = (await takeScript(this.#redis, [this.#keys.rate(unit, keyId)], args)) as [
      number,
      number,
      number,
    ];
    return { fits: fits === 1, used, endsInMs };
  }

  /** Corrects an earlier `take`. @param points to add; negative to give back */
  async settle(unit: RateUnit, keyId: string, points: number): Promise<void> {
    await settleScript(this.#redis, [this.#keys.rate(unit, keyId)], [points]);
  }
}
