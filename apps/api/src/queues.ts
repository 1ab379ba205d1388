import { Queue, type QueueOptions } from 'bullmq';
import type { Environment } from '#config';
import { type Keys, type Lane, LANES } from '#contracts';
import { queueTelemetry } from '#queue';
import type { RedisClient } from '#store';

/** The BullMQ queues of this process: one for each lane of each served model. */
export class Queues {
  readonly #keys: Keys;
  readonly #options: QueueOptions;
  readonly #names: readonly string[];
  readonly #queues = new Map<string, Queue>();

  /**
   * Creates each queue on first use: BullMQ reads the Redis server's version when a queue is created, so the connection
   * must be ready by then.
   */
  constructor(connection: RedisClient, keys: Keys, environment: Environment) {
    this.#keys = keys;
    const telemetry = queueTelemetry(environment);
    this.#options = { connection, prefix: keys.queuePrefix(), ...(telemetry && { telemetry }) };
    this.#names = environment.EMBED_MODELS.flatMap(({ name }) => LANES.map((lane) => keys.queue(name, lane)));
  }

  get all(): readonly Queue[] {
    return this.#names.map((name) => this.#named(name));
  }

  /** @throws Error when the model is not served */
  readonly of = (model: string, lane: Lane): Queue => {
    const name = this.#keys.queue(model, lane);
    if (!this.#names.includes(name)) throw new Error(`there is no queue ${name}`);
    return this.#named(name);
  };

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #named(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      this.#queues.set(name, (queue = new Queue(name, this.#options)));
      // The connection logs its outages itself.
      queue.on('error', () => {});
    }
    return queue;
  }
}
