import { type DynamicModule, Module } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import type { Environment } from '#contracts';
import { LaneControl } from '#queue';
import { HistoryReader, HistoryRecorder, JobStore, RedisCache, WorkerRegistry } from '#store';
import { WaitingTexts } from '../embeddings/waiting-texts.js';
import { JobRetry } from '../jobs/job-retry.js';
import { DeploymentState } from '../metrics/deployment-state.js';
import { ModelDirectory } from '../models/model-directory.js';
import { AdminJobsController } from './admin-jobs.controller.js';
import { AuditController } from './audit.controller.js';
import { HistorySampler } from './history-sampler.js';
import { HistoryView } from './history-view.js';
import { LiveSnapshots } from './live-snapshots.js';
import { OverviewController } from './overview.controller.js';
import { PlaygroundController } from './playground.controller.js';
import { QueueActions } from './queue-actions.js';
import { QueuesController } from './queues.controller.js';
import { Snapshots } from './snapshots.js';
import { WorkersController } from './workers.controller.js';

/** What operators see and do. */
@Module({})
export class AdminModule {
  /** @param imports where embedding, waiting texts, retries of jobs and the deployment's state come from */
  static for(environment: Environment, log: FastifyBaseLogger, imports: readonly DynamicModule[]): DynamicModule {
    const models = environment.EMBED_MODELS.map(({ name }) => name);
    return {
      module: AdminModule,
      imports: [...imports],
      controllers: [
        OverviewController,
        AdminJobsController,
        QueuesController,
        WorkersController,
        AuditController,
        PlaygroundController,
      ],
      providers: [
        {
          provide: HistorySampler,
          useFactory: (recorder: HistoryRecorder, state: DeploymentState, waiting: WaitingTexts) =>
            new HistorySampler({ recorder, state, waiting, models }),
          inject: [HistoryRecorder, DeploymentState, WaitingTexts],
        },
        {
          provide: HistoryView,
          useFactory: (reader: HistoryReader) => new HistoryView(reader, models),
          inject: [HistoryReader],
        },
        {
          provide: Snapshots,
          useFactory: (
            state: DeploymentState,
            history: HistoryView,
            workers: WorkerRegistry,
            directory: ModelDirectory,
            cache: RedisCache,
          ) => new Snapshots({ state, history, workers, models: directory, cache }),
          inject: [DeploymentState, HistoryView, WorkerRegistry, ModelDirectory, RedisCache],
        },
        {
          provide: QueueActions,
          useFactory: (control: LaneControl, store: JobStore, retry: JobRetry) =>
            new QueueActions(control, store, retry),
          inject: [LaneControl, JobStore, JobRetry],
        },
        {
          provide: LiveSnapshots,
          useFactory: (snapshots: Snapshots) =>
            new LiveSnapshots(snapshots, (error) => log.error({ err: error }, 'no snapshot')),
          inject: [Snapshots],
        },
      ],
    };
  }
}
