import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { type Environment, Keys, type Lane, LANES } from '#contracts';
import { LaneControl, LaneProducer, queueTelemetry } from '#queue';
import { FairShares } from '#store';
import { Connections } from './redis.module.js';

/** This process's BullMQ queues. */
export class Queues {
  readonly all: readonly Queue[];
  readonly #keys: Keys;

  constructor(keys: Keys, queues: readonly Queue[]) {
    this.#keys = keys;
    this.all = queues;
    // The connection reports its outages itself.
    for (const queue of queues) queue.on('error', () => {});
  }

  /** @throws when the model is not served */
  of(model: string, lane: Lane): Queue {
    const name = this.#keys.queue(model, lane);
    const queue = this.all.find((one) => one.name === name);
    if (queue === undefined) throw new Error(`there is no queue ${name}`);
    return queue;
  }
}

/** One BullMQ queue for each lane of each served model, and the producer that fills them. */
@Module({})
export class LanesModule {
  static for(environment: Environment): DynamicModule {
    const keys = new Keys(environment.EMBED_KEY_PREFIX);
    const telemetry = queueTelemetry(environment);
    const names = environment.EMBED_MODELS.flatMap(({ name }) => LANES.map((lane) => keys.queue(name, lane)));
    return {
      module: LanesModule,
      global: true,
      imports: [
        BullModule.forRootAsync({
          useFactory: ({ command }: Connections) => ({
            connection: command,
            prefix: keys.queuePrefix(),
            ...(telemetry && { telemetry }),
          }),
          inject: [Connections],
        }),
        BullModule.registerQueue(...names.map((name) => ({ name }))),
      ],
      providers: [
        {
          provide: Queues,
          useFactory: (...queues: Queue[]) => new Queues(keys, queues),
          inject: names.map((name) => getQueueToken(name)),
        },
        {
          provide: LaneProducer,
          useFactory: (queues: Queues, { command }: Connections) =>
            new LaneProducer((model, lane) => queues.of(model, lane), {
              attempts: environment.EMBED_TASK_ATTEMPTS,
              shares: new FairShares(command, keys),
            }),
          inject: [Queues, Connections],
        },
        {
          provide: LaneControl,
          useFactory: (queues: Queues) => new LaneControl((model, lane) => queues.of(model, lane)),
          inject: [Queues],
        },
      ],
      exports: [Queues, LaneProducer, LaneControl],
    };
  }
}
