import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Keys } from '#contracts';
import type { Environment } from '#contracts';
import { Aborts, HistoryRecorder, JobStore, RedisCache, Replies } from '#store';
import { LanesModule } from './lanes.module.js';
import { Lifecycle } from './lifecycle.js';
import { LiveTasks } from './live-tasks.js';
import { LOG } from './log.js';
import type { Log } from './log.js';
import { WorkerMetrics } from './metrics.js';
import { Mill } from './mill.js';
import { onnxModels } from './model-source.js';
import type { ModelSource } from './model-source.js';
import { RedisModule } from './redis.module.js';
import { ServedModels } from './served-models.js';

/** Everything of a worker, built but at rest: `boot` sets it going. */
@Module({})
export class WorkerModule {
  /** @param source default: the models' own files, run by ONNX Runtime */
  static for(environment: Environment, log: Log, source: ModelSource = onnxModels(environment, log)): DynamicModule {
    const keys = new Keys(environment.EMBED_KEY_PREFIX);
    const providers = [
      { provide: LOG, useValue: log },
      { provide: Lifecycle, useFactory: () => new Lifecycle() },
      { provide: LiveTasks, useFactory: () => new LiveTasks() },
      {
        provide: WorkerMetrics,
        useFactory: (lifecycle: Lifecycle) => new WorkerMetrics(lifecycle),
        inject: [Lifecycle],
      },
      {
        provide: ServedModels,
        useFactory: (
          cache: RedisCache,
          jobs: JobStore,
          replies: Replies,
          aborts: Aborts,
          live: LiveTasks,
          metrics: WorkerMetrics,
          history: HistoryRecorder,
        ) =>
          new ServedModels(environment, log, source, ({ model, engine }) => {
            const { card } = model;
            return new Mill({
              card,
              engine,
              keys,
              cache,
              jobs,
              replies,
              aborts,
              live,
              count: {
                ...metrics.countsOf(card.name),
                givenUp: (texts) => history.add(card.name, 'failed', texts),
              },
            });
          }),
        inject: [RedisCache, JobStore, Replies, Aborts, LiveTasks, WorkerMetrics, HistoryRecorder],
      },
    ];
    return {
      module: WorkerModule,
      global: true,
      imports: [RedisModule.for(environment), LanesModule.for(environment)],
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
