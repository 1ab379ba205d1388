import { type DynamicModule, Module } from '@nestjs/common';
import type { Environment } from '#contracts';
import { LaneControl, LaneProducer } from '#queue';
import { JobStore, ModelRegistry, RedisCache, WorkerRegistry } from '#store';
import { Coalescer } from './embeddings/coalescer.js';
import { WaitingTexts } from './embeddings/waiting-texts.js';
import { DeploymentState } from './metrics/deployment-state.js';
import { HealthController } from './health/health.controller.js';
import { ReadinessCheck } from './health/readiness.js';
import type { GaugeSources } from './metrics/api-metrics.js';
import { GAUGE_SOURCES, MetricsController } from './metrics/metrics.controller.js';
import { Connections } from './redis.module.js';

/** Health and metrics: for probes, Prometheus and autoscalers. */
@Module({})
export class OperationModule {
  static for(environment: Environment, embeddings: DynamicModule): DynamicModule {
    const models = environment.EMBED_MODELS.map(({ name }) => name);
    return {
      module: OperationModule,
      imports: [embeddings],
      controllers: [HealthController, MetricsController],
      providers: [
        {
          provide: ReadinessCheck,
          useFactory: ({ command }: Connections, cards: ModelRegistry, workers: WorkerRegistry, lanes: LaneControl) =>
            new ReadinessCheck(command, cards, workers, lanes, models),
          inject: [Connections, ModelRegistry, WorkerRegistry, LaneControl],
        },
        {
          provide: GAUGE_SOURCES,
          useFactory: (
            state: DeploymentState,
            cache: RedisCache,
            coalescer: Coalescer,
            waiting: WaitingTexts,
          ): GaugeSources => ({ models, state, cache, coalescer, waiting }),
          inject: [DeploymentState, RedisCache, Coalescer, WaitingTexts],
        },
        {
          provide: DeploymentState,
          useFactory: (lanes: LaneProducer, jobs: JobStore, workers: WorkerRegistry, waiting: WaitingTexts) =>
            new DeploymentState({ models, lanes, jobs, workers, waiting }),
          inject: [LaneProducer, JobStore, WorkerRegistry, WaitingTexts],
        },
      ],
      exports: [DeploymentState],
    };
  }
}
