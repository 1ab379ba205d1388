import { type Abstract, type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { ApiKeys, AuditLog, Authenticator, Sessions } from '#access';
import { JobInspection, JobLedger, JobList, WorkerRegistry } from '#store';
import { Audit } from './access/audit.js';
import { KeysController } from './access/keys.controller.js';
import { RateLimits } from './access/rate-limits.js';
import { SessionController } from './access/session.controller.js';
import { AdminJobsController } from './admin/admin-jobs.controller.js';
import { AuditController } from './admin/audit.controller.js';
import { HistoryView } from './admin/history-view.js';
import { LiveSnapshots } from './admin/live-snapshots.js';
import { OverviewController } from './admin/overview.controller.js';
import { PlaygroundController } from './admin/playground.controller.js';
import { QueueActions } from './admin/queue-actions.js';
import { QueuesController } from './admin/queues.controller.js';
import { Snapshots } from './admin/snapshots.js';
import { WorkersController } from './admin/workers.controller.js';
import { ErrorFilter } from './http/error.filter.js';
import { SchemaPipe } from './http/schema.pipe.js';
import { InputReader } from './input/input-reader.js';
import { EmbeddingsController } from './interactive/embeddings.controller.js';
import { Interactive } from './interactive/interactive.js';
import { CancelledJobs } from './jobs/cancelled-jobs.js';
import { JobRequests } from './jobs/job-requests.js';
import { JobRetry } from './jobs/job-retry.js';
import { JobWatch } from './jobs/job-watch.js';
import { JobsController } from './jobs/jobs.controller.js';
import { ResultsAnswer } from './jobs/results/answer.js';
import { ResultsController } from './jobs/results/results.controller.js';
import { Closing } from './operation/closing.js';
import { Fleet } from './operation/fleet.js';
import { FleetMetrics } from './operation/fleet-metrics.js';
import { HealthController } from './operation/health.controller.js';
import { MetricsController } from './operation/metrics.controller.js';
import { ReadinessCheck } from './operation/readiness.js';
import { OutputShapes } from './output/output-shape.js';
import { ModelDirectory } from './planning/model-directory.js';
import { ModelsController } from './operation/models.controller.js';
import { Planner } from './planning/planner.js';
import type { ApiServices } from './services.js';

/** Controllers, which Nest constructs, and the services that it injects into them by class. */
@Module({})
export class ApiModule {
  static for(services: ApiServices): DynamicModule {
    return {
      module: ApiModule,
      controllers: [
        EmbeddingsController,
        ModelsController,
        JobsController,
        ResultsController,
        HealthController,
        MetricsController,
        SessionController,
        KeysController,
        OverviewController,
        AdminJobsController,
        QueuesController,
        WorkersController,
        AuditController,
        PlaygroundController,
      ],
      providers: [
        provide(Closing, services.closing),
        provide(JobLedger, services.jobs),
        provide(JobList, services.list),
        provide(JobInspection, services.inspection),
        provide(WorkerRegistry, services.workers),
        provide(ApiKeys, services.apiKeys),
        provide(Authenticator, services.authenticator),
        provide(Sessions, services.sessions),
        provide(AuditLog, services.auditLog),
        provide(Audit, services.audit),
        provide(RateLimits, services.rates),
        provide(InputReader, services.reader),
        provide(OutputShapes, services.shapes),
        provide(ModelDirectory, services.directory),
        provide(Planner, services.planner),
        provide(Interactive, services.interactive),
        provide(Fleet, services.fleet),
        provide(FleetMetrics, services.fleetMetrics),
        provide(ReadinessCheck, services.readiness),
        provide(CancelledJobs, services.cancelled),
        provide(JobRequests, services.requests),
        provide(JobRetry, services.retry),
        provide(JobWatch, services.watch),
        provide(ResultsAnswer, services.answer),
        provide(HistoryView, services.history),
        provide(Snapshots, services.snapshots),
        provide(LiveSnapshots, services.live),
        provide(QueueActions, services.queueActions),
        {
          provide: APP_FILTER,
          useValue: new ErrorFilter({ maxBodyBytes: services.environment.EMBED_MAX_BODY_BYTES }),
        },
        { provide: APP_PIPE, useClass: SchemaPipe },
      ],
    };
  }
}

/** A typed provider: the compiler checks the service against its class. */
function provide<T>(token: Type<T> | Abstract<T>, useValue: T): { provide: Type<T> | Abstract<T>; useValue: T } {
  return { provide: token, useValue };
}
