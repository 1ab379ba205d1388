import { type DynamicModule, Module } from '@nestjs/common';
import type { Environment } from '#contracts';
import { HistoryReader, HistoryRecorder, RedisCache, WorkerRegistry } from '#store';
import { WaitingTexts } from '../embeddings/waiting-texts.js';
import { DeploymentState } from '../metrics/deployment-state.js';
import { ModelDirectory } from '../models/model-directory.js';
import { HistorySampler } from './history-sampler.js';
import { HistoryView } from './history-view.js';
import { LiveSnapshots } from './live-snapshots.js';
import { OverviewController } from './overview.controller.js';
import { Snapshots } from './snapshots.js';

/** What operators see and do. */
@Module({})
export class AdminModule {
  /** @param imports where waiting texts and the deployment's state come from */
  static for(environment: Environment, imports: readonly DynamicModule[]): DynamicModule {
    const models = environment.EMBED_MODELS.map(({ name }) => name);
    return {
      module: AdminModule,
      imports: [...imports],
      controllers: [OverviewController],
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
          provide: LiveSnapshots,
          useFactory: (snapshots: Snapshots) => new LiveSnapshots(snapshots),
          inject: [Snapshots],
        },
      ],
    };
  }
}
