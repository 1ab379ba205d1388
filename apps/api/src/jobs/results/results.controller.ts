import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  Headers,
  Inject,
  Param,
  Query,
  Res,
  type StreamableFile,
} from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, jobResultsPageSchema, type ResultsQuery, resultsQuerySchema } from '#contracts';
import { JobStore } from '#store';
import { FromCaller } from '../../access/caller.js';
import { ApiQueryOf } from '../../openapi/api-query-of.js';
import { jsonSchema } from '../../openapi/json-schema.js';
import { requireOwnJob, retryAfter } from '../job-view.js';
import { shuttingDown } from '../shutting-down.js';
import { answerResults, resultsFormat } from './answer.js';

/** What came out of a job. */
@ApiTags('jobs')
@Controller('v1/jobs/:id/results')
export class ResultsController implements BeforeApplicationShutdown {
  readonly #store: JobStore;
  readonly #closing = new AbortController();

  constructor(@Inject(JobStore) store: JobStore) {
    this.#store = store;
  }

  @Get()
  @ApiOperation({
    summary: 'The vectors of a job',
    description:
      'Pages as JSON, lines that follow a running job as NDJSON, and, of a final job, little-endian float32 or .npy.',
  })
  @ApiParam({ name: 'id' })
  @ApiQueryOf(resultsQuerySchema)
  @ApiProduces('application/json', 'application/x-ndjson', 'application/octet-stream')
  @ApiResponse({ status: 200, schema: jsonSchema(jobResultsPageSchema, 'output') })
  async results(
    @Param('id') id: string,
    @Query({ schema: resultsQuerySchema }) query: ResultsQuery,
    @FromCaller() caller: Caller,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const job = requireOwnJob(await this.#store.get(id), id, caller);
    const seconds = retryAfter(job);
    if (seconds !== null) reply.header('Retry-After', seconds);
    return answerResults(this.#store, job, resultsFormat(query, accept), query, this.#closing.signal);
  }

  /** Those who follow a running job are cut off: a shutdown cannot wait for it. */
  beforeApplicationShutdown(): void {
    this.#closing.abort(shuttingDown('The results were not told to their end.'));
  }
}
