import { BullModule, Processor } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, Type } from '@nestjs/common';
import { Keys, LANES } from '#contracts';
import type { Environment } from '#contracts';
import { consumerOptions, queueTelemetry } from '#queue';
import { Intake } from './intake.js';
import { LaneConsumer } from './lane-consumer.js';
import { Lifecycle } from './lifecycle.js';
import { LOG } from './log.js';
import type { Log } from './log.js';
import { WorkerMetrics } from './metrics.js';
import { Connections } from './redis.module.js';
import { ServedModels } from './served-models.js';

/** This process's BullMQ workers: one for each model and lane. */
export class LaneWorkers {
  readonly #consumers: readonly LaneConsumer[];

  constructor(consumers: readonly LaneConsumer[]) {
    this.#consumers = consumers;
  }

  /** Resolves when every queue connection is there, so that tasks flow. */
  async ready(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.worker.waitUntilReady()));
  }

  /** Takes no further tasks until `resume`. */
  pause(): void {
    for (const consumer of this.#consumers) void consumer.worker.pause(true);
  }

  resume(): void {
    for (const consumer of this.#consumers) void consumer.worker.resume();
  }

  /** Takes no further tasks, and resolves when those held have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.worker.close()));
  }
}

/** One consumer for each lane of each served model, made to measure, since BullMQ's decorator wants a class a queue. */
@Module({})
export class LanesModule {
  static for(environment: Environment): DynamicModule {
    const keys = new Keys(environment.EMBED_KEY_PREFIX);
    const telemetry = queueTelemetry(environment);
    const consumers = environment.EMBED_MODELS.flatMap(({ name }) =>
      LANES.map((lane): FactoryProvider<LaneConsumer> => {
        const intake = new Intake(lane, environment);
        const Consumer = consumerClass(keys.queue(name, lane), intake, environment);
        return {
          provide: Consumer,
          useFactory: (models: ServedModels, lifecycle: Lifecycle, metrics: WorkerMetrics, log: Log) =>
            new Consumer({
              model: name,
              lane,
              intake,
              mill: () => models.mill(name),
              stats: () => models.engine(name).stats(),
              lifecycle,
              metrics,
              log,
            }),
          inject: [ServedModels, Lifecycle, WorkerMetrics, LOG],
        };
      }),
    );
    return {
      module: LanesModule,
      imports: [
        BullModule.forRootAsync({
          useFactory: ({ results }: Connections) => ({
            connection: results,
            prefix: keys.queuePrefix(),
            ...(telemetry && { telemetry }),
          }),
          inject: [Connections],
          // Nothing is taken from a queue before the models are ready: boot registers the consumers then.
          extraOptions: { manualRegistration: true },
        }),
        // Names no queue of its own, but brings the part of the module that finds the consumers.
        BullModule.registerQueue(),
      ],
      providers: [
        ...consumers,
        {
          provide: LaneWorkers,
          useFactory: (...all: LaneConsumer[]) => new LaneWorkers(all),
          inject: consumers.map(({ provide }) => provide),
        },
      ],
      exports: [LaneWorkers],
    };
  }
}

function consumerClass(queue: string, intake: Intake, environment: Environment): Type<LaneConsumer> {
  const options = consumerOptions({
    concurrency: intake.tasks,
    lockMs: environment.EMBED_LOCK_MS,
    stalledMs: environment.EMBED_STALLED_CHECK_MS,
  });
  @Processor(queue, options)
  class Consumer extends LaneConsumer {}
  return Consumer;
}
