import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import type { Environment } from '#contracts';
import { AdminModule } from './admin/admin.module.js';
import { AccessModule } from './access/access.module.js';
import { EmbeddingsModule } from './embeddings/embeddings.module.js';
import { ErrorFilter } from './errors/error.filter.js';
import { fromIssues } from './errors/to-api-error.js';
import { JobsModule } from './jobs/jobs.module.js';
import { LanesModule } from './lanes.module.js';
import { OperationModule } from './operation.module.js';
import { PlanningModule } from './planning/planning.module.js';
import { RedisModule } from './redis.module.js';

@Module({})
export class AppModule {
  static for(environment: Environment, log: FastifyBaseLogger): DynamicModule {
    const embeddings = EmbeddingsModule.for(environment);
    const jobs = JobsModule.for(environment, log);
    const operation = OperationModule.for(environment, embeddings);
    return {
      module: AppModule,
      imports: [
        RedisModule.for(environment, log),
        AccessModule.for(environment),
        LanesModule.for(environment),
        PlanningModule.for(environment),
        embeddings,
        jobs,
        operation,
        AdminModule.for(environment, log, [embeddings, jobs, operation]),
      ],
      providers: [
        { provide: APP_FILTER, useFactory: () => new ErrorFilter({ maxBodyBytes: environment.EMBED_MAX_BODY_BYTES }) },
        {
          provide: APP_PIPE,
          useFactory: () => new StandardSchemaValidationPipe({ exceptionFactory: (issues) => fromIssues(issues) }),
        },
      ],
    };
  }
}
