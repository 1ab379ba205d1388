import type { Keys, Lane } from '#contracts';
import type { Redis } from 'ioredis';
import { LuaScript } from './lua-script.js';

/** BullMQ's greatest priority. */
const GREATEST_TAG = 2 ** 21 - 1;

const script = new LuaScript('fair-share');

/**
 * Lets the holders of API keys share a lane evenly: see `lua/fair-share.lua`. One call tags any number of tasks.
 */
export class FairShares {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #greatest: number;

  /** @param greatest tag there may be; tests need not count to two million */
  constructor(redis: Redis, keys: Keys, greatest = GREATEST_TAG) {
    this.#redis = redis;
    this.#keys = keys;
    this.#greatest = greatest;
  }

  /**
   * @param costs of the holder's next tasks, whole numbers from 1, in order
   * @returns their priorities, 1 and up: the least is served first
   */
  async tags(model: string, lane: Lane, holder: string, costs: readonly number[]): Promise<number[]> {
    const keys = [this.#keys.shares(model, lane), this.#keys.queuePart(model, lane, 'prioritized')];
    const args = [holder, this.#greatest, this.#keys.queuePart(model, lane, ''), ...costs];
    return (await script.run(this.#redis, keys, args)) as number[];
  }
}
