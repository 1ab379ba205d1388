import { Readable } from 'node:stream';
import {
  type BeforeApplicationShutdown,
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type Caller,
  type JobList,
  type JobListQuery,
  jobListQuerySchema,
  jobListSchema,
  type JobObject,
  jobObjectSchema,
  type JobQuery,
  jobQuerySchema,
  type JobRecord,
  jobRequestSchema,
  jobUploadOptionsSchema,
  type RetriedJob,
  retriedJobSchema,
} from '#contracts';
import { JobStore } from '#store';
import { FromCaller } from '../access/caller.js';
import { Audit } from '../audit/audit.js';
import { hangUp } from '../hang-up.js';
import { ApiQueryOf } from '../openapi/api-query-of.js';
import { jsonSchema } from '../openapi/json-schema.js';
import { AbandonedWork } from './abandoned-work.js';
import { JobRequests } from './job-requests.js';
import { JobRetry } from './job-retry.js';
import { jobPath, requireOwnJob, retryAfter, viewJob } from './job-view.js';
import { JobWatch } from './job-watch.js';

/** Jobs: texts in, a record to look at. What came out of them is next door, in the results controller. */
@ApiTags('jobs')
@Controller('v1/jobs')
export class JobsController implements BeforeApplicationShutdown {
  readonly #requests: JobRequests;
  readonly #store: JobStore;
  readonly #watch: JobWatch;
  readonly #work: AbandonedWork;
  readonly #retry: JobRetry;
  readonly #audit: Audit;

  constructor(
    @Inject(JobRequests) requests: JobRequests,
    @Inject(JobStore) store: JobStore,
    @Inject(JobWatch) watch: JobWatch,
    @Inject(AbandonedWork) work: AbandonedWork,
    @Inject(JobRetry) retry: JobRetry,
    @Inject(Audit) audit: Audit,
  ) {
    this.#requests = requests;
    this.#store = store;
    this.#watch = watch;
    this.#work = work;
    this.#retry = retry;
    this.#audit = audit;
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Accepts texts and answers at once',
    description:
      'As application/json: a list with a limit. As application/x-ndjson: any number, streamed, a JSON string or ' +
      '{"input": …} a line; the options stand in the query then.',
  })
  @ApiQueryOf(jobUploadOptionsSchema, 'With application/x-ndjson only; in the body otherwise')
  @ApiConsumes('application/json', 'application/x-ndjson')
  @ApiBody({ schema: jsonSchema(jobRequestSchema, 'input') })
  @ApiResponse({ status: 202, schema: jsonSchema(jobObjectSchema, 'output') })
  async create(
    @Body() body: unknown,
    @Query() query: unknown,
    @FromCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobObject> {
    const job =
      body instanceof Readable
        ? await this.#requests.upload(query, body, caller, reply)
        : await this.#requests.list(body, caller, reply);
    return answer(job, reply.header('Location', jobPath(job.id)));
  }

  @Get()
  @ApiOperation({ summary: 'Jobs, newest first' })
  @ApiQueryOf(jobListQuerySchema)
  @ApiResponse({ status: 200, schema: jsonSchema(jobListSchema, 'output') })
  async list(
    @Query({ schema: jobListQuerySchema }) query: JobListQuery,
    @FromCaller() caller: Caller,
  ): Promise<JobList> {
    const tenant = caller.scopes.includes('admin') ? '' : caller.tenant;
    const { jobs, nextCursor } = await this.#store.list({ ...query, tenant });
    return { object: 'list', data: jobs.map(viewJob), has_more: nextCursor !== null, next_cursor: nextCursor };
  }

  @Get(':id')
  @ApiOperation({ summary: 'State, counts, rate and estimate of a job' })
  @ApiParam({ name: 'id' })
  @ApiQueryOf(jobQuerySchema, 'Seconds to hold the answer until the job is final')
  @ApiResponse({ status: 200, schema: jsonSchema(jobObjectSchema, 'output') })
  async get(
    @Param('id') id: string,
    @Query({ schema: jobQuerySchema }) query: JobQuery,
    @FromCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobObject> {
    requireOwnJob(await this.#store.get(id), id, caller);
    const job = await this.#watch.untilFinal(id, query.wait * 1000, hangUp(reply));
    return answer(requireOwnJob(job, id, caller), reply);
  }

  @Delete(':id')
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'Cancels a job; one that is final stays as it is' })
  @ApiResponse({ status: 200, schema: jsonSchema(jobObjectSchema, 'output') })
  async cancel(
    @Param('id') id: string,
    @FromCaller() caller: Caller,
    @Req() request: FastifyRequest,
  ): Promise<JobObject> {
    requireOwnJob(await this.#store.get(id), id, caller);
    await this.#store.cancel(id);
    const job = requireOwnJob(await this.#store.get(id), id, caller);
    // Repeated for a job that was cancelled before, in case its tasks were not all removed then.
    if (job.state === 'cancelled') this.#work.drop(job);
    await this.#audit.record(request, 'job.cancel', id, job.state);
    return viewJob(job);
  }

  @Post(':id/retry')
  @HttpCode(202)
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'Tries the failed texts of a job again' })
  @ApiResponse({ status: 202, schema: jsonSchema(retriedJobSchema, 'output') })
  async retry(
    @Param('id') id: string,
    @FromCaller() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RetriedJob> {
    requireOwnJob(await this.#store.get(id), id, caller);
    const { job, texts } = await this.#retry.retry(id);
    await this.#audit.record(request, 'job.retry', id);
    return { ...answer(job, reply.header('Location', jobPath(id))), retried: texts };
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#watch.close();
    this.#requests.close();
    await this.#work.close();
  }
}

function answer(job: JobRecord, reply: FastifyReply): JobObject {
  const seconds = retryAfter(job);
  if (seconds !== null) void reply.header('Retry-After', seconds);
  return viewJob(job);
}
