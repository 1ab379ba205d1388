import { type DynamicModule, Module } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import type { Environment } from '#contracts';
import { LaneProducer } from '#queue';
import { Aborts, FailedTexts, FinishedJobs, JobStore, WorkerRegistry } from '#store';
import { RateLimits } from '../limits/rate-limits.js';
import { ApiMetrics } from '../metrics/api-metrics.js';
import { ModelDirectory } from '../models/model-directory.js';
import { Planner } from '../planning/planner.js';
import { TokenLimit } from '../planning/token-limit.js';
import { AbandonedWork } from './abandoned-work.js';
import { JobIntake } from './job-intake.js';
import { JobRequests } from './job-requests.js';
import { JobRetry } from './job-retry.js';
import { JobWatch } from './job-watch.js';
import { JobsController } from './jobs.controller.js';
import { QueueRoom } from './queue-room.js';
import { ResultsController } from './results/results.controller.js';

/** The door for those who come back: jobs of any size, and their results. */
@Module({})
export class JobsModule {
  static for(environment: Environment, log: FastifyBaseLogger): DynamicModule {
    const taskLimits = { maxTexts: environment.EMBED_TASK_TEXTS, maxBytes: environment.EMBED_TASK_BYTES };
    return {
      module: JobsModule,
      controllers: [JobsController, ResultsController],
      providers: [
        {
          provide: QueueRoom,
          useFactory: (store: JobStore, workers: WorkerRegistry) =>
            new QueueRoom(store, workers, environment.EMBED_MAX_QUEUED_TEXTS),
          inject: [JobStore, WorkerRegistry],
        },
        {
          provide: AbandonedWork,
          useFactory: (aborts: Aborts, producer: LaneProducer) =>
            new AbandonedWork(aborts, producer, (error) =>
              log.warn({ err: error }, 'abandoned tasks stay in the queue'),
            ),
          inject: [Aborts, LaneProducer],
        },
        {
          provide: JobIntake,
          useFactory: (
            planner: Planner,
            store: JobStore,
            producer: LaneProducer,
            metrics: ApiMetrics,
            tokenLimit: TokenLimit,
            room: QueueRoom,
            work: AbandonedWork,
            rates: RateLimits,
          ) => {
            const count = (model: string, texts: number) => metrics.accepted(model, 'jobs', texts);
            return new JobIntake({ planner, store, producer, taskLimits, count }, tokenLimit, room, rates, work);
          },
          inject: [Planner, JobStore, LaneProducer, ApiMetrics, TokenLimit, QueueRoom, AbandonedWork, RateLimits],
        },
        {
          provide: JobRequests,
          useFactory: (planner: Planner, intake: JobIntake, rates: RateLimits) =>
            new JobRequests(planner, intake, rates, environment),
          inject: [Planner, JobIntake, RateLimits],
        },
        {
          provide: JobRetry,
          useFactory: (
            store: JobStore,
            failed: FailedTexts,
            models: ModelDirectory,
            room: QueueRoom,
            producer: LaneProducer,
          ) => new JobRetry({ store, failed, models, room, producer, taskLimits }),
          inject: [JobStore, FailedTexts, ModelDirectory, QueueRoom, LaneProducer],
        },
        {
          provide: JobWatch,
          useFactory: (store: JobStore, finished: FinishedJobs) => new JobWatch(store, finished),
          inject: [JobStore, FinishedJobs],
        },
      ],
      exports: [JobRetry],
    };
  }
}
