import { Controller, Get, Header, Param, Query } from '@nestjs/common';
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
import { ApiKeys } from '#access';
import { JobInspection, JobLedger, JobList } from '#store';
import { requireJob } from '../jobs/job-view.js';
import { ApiQueryOf } from '../http/api-query-of.js';
import { jsonSchema } from '../http/json-schema.js';
import { OutputShapes } from '../output/output-shape.js';
import { viewAdminJob, viewTimeline } from './admin-job-view.js';

/** Failed texts listed in a job's details. */
const MOST_FAILURES = 100;

/** Jobs of all tenants. */
@ApiTags('admin')
@Controller('admin/v1/jobs')
export class AdminJobsController {
  readonly #jobs: JobLedger;
  readonly #list: JobList;
  readonly #inspection: JobInspection;
  readonly #keys: ApiKeys;
  readonly #shapes: OutputShapes;

  constructor(jobs: JobLedger, list: JobList, inspection: JobInspection, keys: ApiKeys, shapes: OutputShapes) {
    this.#jobs = jobs;
    this.#list = list;
    this.#inspection = inspection;
    this.#keys = keys;
    this.#shapes = shapes;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Jobs of all tenants, newest first' })
  @ApiQueryOf(adminJobListQuerySchema)
  @ApiResponse({ status: 200, schema: jsonSchema(adminJobListSchema, 'output') })
  async list(@Query({ schema: adminJobListQuerySchema }) query: AdminJobListQuery): Promise<AdminJobList> {
    const { id, key, ...rest } = query;
    const { jobs, nextCursor } = await this.#list.page({ ...rest, idPart: id, keyId: key });
    const keyNames = await this.#keyNames(jobs);
    const data = jobs.map((job) => viewAdminJob(job, this.#shapes, keyNames));
    return { object: 'list', data, has_more: nextCursor !== null, next_cursor: nextCursor };
  }

  @Get(':id')
  @Header('cache-control', 'no-store')
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'A job with its timeline, progress along its input, failures and spec' })
  @ApiResponse({ status: 200, schema: jsonSchema(adminJobDetailSchema, 'output') })
  async get(@Param('id') id: string): Promise<AdminJobDetail> {
    const job = requireJob(await this.#jobs.get(id), id);
    const [keyNames, { done, textsEach }, { failures, hasMore }] = await Promise.all([
      this.#keyNames([job]),
      this.#inspection.bars(job),
      this.#inspection.failures(job, MOST_FAILURES),
    ]);
    return {
      ...viewAdminJob(job, this.#shapes, keyNames),
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
