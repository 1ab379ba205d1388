import { BullModule, Processor } from '@nestjs/bullmq';
import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import type { Environment } from '#config';
import { type Keys, type Lane, LANES, Operations } from '#contracts';
import { consumerOptions, queueTelemetry } from '#queue';
import type { Connections } from '../connections.js';
import { Lifecycle } from '../lifecycle.js';
import { LOG } from '../log.js';
import type { Log } from '../log.js';
import { WorkerMetrics } from '../operation/metrics.js';
import { ServedModels } from '../process/served-models.js';
import { Consumer, type ConsumerModels } from './consumer.js';
import { LaneWorkers } from './lane-workers.js';
import { Prefetch } from './prefetch.js';

/** Services that consumers need; created before Nest starts. */
export interface ConsumerServices {
  readonly environment: Environment;
  readonly keys: Keys;
  readonly connections: Pick<Connections, 'results'>;
  readonly operations: Operations;
  readonly models: ConsumerModels;
  readonly lifecycle: Lifecycle;
  readonly metrics: WorkerMetrics;
  readonly log: Log;
}

/**
 * One consumer class for each lane of each served model, since the decorator of @nestjs/bullmq needs a class per queue.
 */
@Module({})
export class ConsumersModule {
  static for(services: ConsumerServices): DynamicModule {
    const { connections, environment, keys, lifecycle, log, metrics, models, operations } = services;
    const telemetry = queueTelemetry(environment);
    const classes = environment.EMBED_MODELS.flatMap(({ name }) =>
      LANES.map((lane) => consumerClass(keys.queue(name, lane), name, lane, environment.EMBED_LOCK_MS)),
    );
    return {
      module: ConsumersModule,
      imports: [
        BullModule.forRoot({
          connection: connections.results,
          prefix: keys.queuePrefix(),
          ...(telemetry && { telemetry }),
          // `boot` registers the consumers once the models are ready, so no task is taken before.
          extraOptions: { manualRegistration: true },
        }),
        // Registers no queue, but imports the part of the module that discovers the consumers.
        BullModule.registerQueue(),
      ],
      providers: [
        { provide: ServedModels, useValue: models },
        { provide: Operations, useValue: operations },
        { provide: Lifecycle, useValue: lifecycle },
        { provide: WorkerMetrics, useValue: metrics },
        { provide: LOG, useValue: log },
        ...classes,
        { provide: LaneWorkers, useFactory: (...all: Consumer[]) => new LaneWorkers(all), inject: classes },
      ],
    };
  }
}

function consumerClass(queue: string, model: string, lane: Lane, lockMs: number): Type<Consumer> {
  const prefetch = new Prefetch(lane);

  @Processor(queue, consumerOptions({ concurrency: prefetch.tasks, lockMs }))
  class LaneConsumer extends Consumer {
    constructor(
      models: ServedModels,
      operations: Operations,
      lifecycle: Lifecycle,
      metrics: WorkerMetrics,
      @Inject(LOG) log: Log,
    ) {
      super({ model, lane, prefetch, models, operations, lifecycle, metrics, log });
    }
  }
  return LaneConsumer;
}
