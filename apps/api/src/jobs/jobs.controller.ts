import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type Caller,
  type JobList as JobPage,
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
import { JobLedger, JobList } from '#store';
import { Audit } from '../access/audit.js';
import { FromCaller } from '../access/caller.js';
import { ApiQueryOf } from '../http/api-query-of.js';
import { hangUp } from '../http/hang-up.js';
import { jsonSchema } from '../http/json-schema.js';
import { OutputShapes } from '../output/output-shape.js';
import { PROMPT_HEADER, promptHeader } from '../planning/prompt-choice.js';
import { CancelledJobs } from './cancelled-jobs.js';
import { JobRequests } from './job-requests.js';
import { JobRetry } from './job-retry.js';
import { jobPath, requireOwnJob, retryAfter, viewJob } from './job-view.js';
import { JobWatch } from './job-watch.js';

/** Creates, lists, reads, cancels and retries jobs. `ResultsController` serves their results. */
@ApiTags('jobs')
@Controller('v1/jobs')
export class JobsController {
  readonly #requests: JobRequests;
  readonly #jobs: JobLedger;
  readonly #list: JobList;
  readonly #watch: JobWatch;
  readonly #cancelled: CancelledJobs;
  readonly #retry: JobRetry;
  readonly #audit: Audit;
  readonly #shapes: OutputShapes;

  constructor(
    requests: JobRequests,
    jobs: JobLedger,
    list: JobList,
    watch: JobWatch,
    cancelled: CancelledJobs,
    retry: JobRetry,
    audit: Audit,
    shapes: OutputShapes,
  ) {
    this.#requests = requests;
    this.#jobs = jobs;
    this.#list = list;
    this.#watch = watch;
    this.#cancelled = cancelled;
    this.#retry = retry;
    this.#audit = audit;
    this.#shapes = shapes;
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
    void reply.header('Location', jobPath(job.id)).header(PROMPT_HEADER, promptHeader(job.prompt));
    return this.#answer(job, reply);
  }

  @Get()
  @ApiOperation({ summary: 'Jobs, newest first' })
  @ApiQueryOf(jobListQuerySchema)
  @ApiResponse({ status: 200, schema: jsonSchema(jobListSchema, 'output') })
  async list(
    @Query({ schema: jobListQuerySchema }) query: JobListQuery,
    @FromCaller() caller: Caller,
  ): Promise<JobPage> {
    const tenant = caller.scopes.includes('admin') ? '' : caller.tenant;
    const { jobs, nextCursor } = await this.#list.page({ ...query, tenant });
    const data = jobs.map((job) => viewJob(job, this.#shapes));
    return { object: 'list', data, has_more: nextCursor !== null, next_cursor: nextCursor };
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
    requireOwnJob(await this.#jobs.get(id), id, caller);
    const job = await this.#watch.untilFinal(id, query.wait * 1000, hangUp(reply));
    return this.#answer(requireOwnJob(job, id, caller), reply);
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
    requireOwnJob(await this.#jobs.get(id), id, caller);
    await this.#jobs.cancel(id);
    const job = requireOwnJob(await this.#jobs.get(id), id, caller);
    // Also for a job that was cancelled earlier, in case some of its tasks are still in the queue.
    if (job.state === 'cancelled') this.#cancelled.drop(job);
    await this.#audit.record(request, 'job.cancel', id, job.state);
    return viewJob(job, this.#shapes);
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
    requireOwnJob(await this.#jobs.get(id), id, caller);
    const { job, texts } = await this.#retry.retry(id);
    await this.#audit.record(request, 'job.retry', id, `${texts} texts`);
    void reply.header('Location', jobPath(id)).header(PROMPT_HEADER, promptHeader(job.prompt));
    return { ...this.#answer(job, reply), retried: texts };
  }

  #answer(job: JobRecord, reply: FastifyReply): JobObject {
    const seconds = retryAfter(job);
    if (seconds !== null) void reply.header('Retry-After', seconds);
    return viewJob(job, this.#shapes);
  }
}
