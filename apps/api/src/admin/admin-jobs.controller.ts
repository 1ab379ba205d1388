import { Controller, Get, Header, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type AdminJobDetail,
  adminJobDetailSchema,
  type AdminJobList,
  type AdminJobListQuery,
  adminJobListQuerySchema,
  adminJobListSchema,
  type JobRecord,
} from '#contracts';
import { ApiKeys, JobInspection, JobStore } from '#store';
import { requireJob } from '../jobs/job-view.js';
import { ApiQueryOf } from '../openapi/api-query-of.js';
import { jsonSchema } from '../openapi/json-schema.js';
import { viewAdminJob, viewTimeline } from './admin-job-view.js';

/** Failures told on a job's page. */
const MOST_FAILURES = 100;

/** Everybody's jobs. */
@ApiTags('admin')
@Controller('admin/v1/jobs')
export class AdminJobsController {
  readonly #store: JobStore;
  readonly #inspection: JobInspection;
  readonly #keys: ApiKeys;

  constructor(
    @Inject(JobStore) store: JobStore,
    @Inject(JobInspection) inspection: JobInspection,
    @Inject(ApiKeys) keys: ApiKeys,
  ) {
    this.#store = store;
    this.#inspection = inspection;
    this.#keys = keys;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Jobs of all tenants, newest first' })
  @ApiQueryOf(adminJobListQuerySchema)
  @ApiResponse({ status: 200, schema: jsonSchema(adminJobListSchema, 'output') })
  async list(@Query({ schema: adminJobListQuerySchema }) query: AdminJobListQuery): Promise<AdminJobList> {
    const { id, key, ...rest } = query;
    const { jobs, nextCursor } = await this.#store.list({ ...rest, idPart: id, keyId: key });
    const keyNames = await this.#keyNames(jobs);
    const data = jobs.map((job) => viewAdminJob(job, keyNames));
    return { object: 'list', data, has_more: nextCursor !== null, next_cursor: nextCursor };
  }

  @Get(':id')
  @Header('cache-control', 'no-store')
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'A job with its timeline, progress along its input, failures and spec' })
  @ApiResponse({ status: 200, schema: jsonSchema(adminJobDetailSchema, 'output') })
  async get(@Param('id') id: string): Promise<AdminJobDetail> {
    const job = requireJob(await this.#store.get(id), id);
    const [keyNames, { done, textsEach }, { failures, hasMore }] = await Promise.all([
      this.#keyNames([job]),
      this.#inspection.bars(job),
      this.#inspection.failures(job, MOST_FAILURES),
    ]);
    return {
      ...viewAdminJob(job, keyNames),
      spec: job.spec,
      timeline: viewTimeline(job),
      slices: { texts_each: textsEach, done },
      failures: {
        data: failures.map(({ position, error }) => ({ index: position, ...error })),
        has_more: hasMore,
      },
      retriable: job.retriable,
    };
  }

  async #keyNames(jobs: readonly JobRecord[]): Promise<Map<string, string>> {
    const ids = new Set(jobs.flatMap(({ keyId }) => (keyId === null ? [] : [keyId])));
    const keys = await Promise.all([...ids].map((id) => this.#keys.get(id)));
    return new Map(keys.flatMap((key) => (key === null ? [] : [[key.id, key.name] as const])));
  }
}
