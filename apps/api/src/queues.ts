import { Queue } from 'bullmq';
import type { Environment } from '#config';
import { type Keys, type Lane, LANES } from '#contracts';
import { queueTelemetry } from '#queue';
import type { RedisClient } from '#store';

/** This process's BullMQ queues: one for each lane of each served model. */
export class Queues {
  readonly all: readonly Queue[];
  readonly #keys: Keys;

  constructor(connection: RedisClient, keys: Keys, environment: Environment) {
    this.#keys = keys;
    const telemetry = queueTelemetry(environment);
    const options = { connection, prefix: keys.queuePrefix(), ...(telemetry && { telemetry }) };
    const names = environment.EMBED_MODELS.flatMap(({ name }) => LANES.map((lane) => keys.queue(name, lane)));
    this.all = names.map((name) => new Queue(name, options));
    // The connection reports its outages itself.
    for (const queue of this.all) queue.on('error', () => {});
  }

  /** @throws when the model is not served */
  readonly of = (model: string, lane: Lane): Queue => {
    const name = this.#keys.queue(model, lane);
    const queue = this.all.find((one) => one.name === name);
    if (queue === undefined) throw new Error(`there is no queue ${name}`);
    return queue;
  };

  async close(): Promise<void> {
    await Promise.all(this.all.map((queue) => queue.close()));
  }
}
