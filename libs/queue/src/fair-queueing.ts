import type { Keys, Lane } from '#contracts';
import { type RedisClient, script } from '#store';

/** BullMQ's highest priority number, which is served last. */
const GREATEST_TAG = 2 ** 21 - 1;

const tagScript = script('fair-queueing', new URL('./lua/fair-queueing.lua', import.meta.url));

/** Lets API keys share a lane fairly, see `lua/fair-queueing.lua`. One call tags any number of tasks. */
export class FairQueueing {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #greatest: number;

  /** @param greatest highest tag; tests use a small one */
  constructor(redis: RedisClient, keys: Keys, greatest = GREATEST_TAG) {
    this.#redis = redis;
    this.#keys = keys;
    this.#greatest = greatest;
  }

  /**
   * @param costs costs of the key's next tasks, whole numbers from 1, in order
   * @returns the tasks' BullMQ priorities, from 1; the lowest is served first
   */
  async tags(model: string, lane: Lane, keyId: string, costs: readonly number[]): Promise<number[]> {
    const keys = [this.#keys.shares(model, lane), this.#keys.queuePart(model, lane, 'prioritized')];
    const args = [keyId, this.#greatest, this.#keys.queuePart(model, lane, ''), ...costs];
    return (await tagScript(this.#redis, keys, args)) as number[];
  }
}
