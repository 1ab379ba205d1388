import { Controller, Get, Headers, Param, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, jobResultsPageSchema, type ResultsQuery, resultsQuerySchema } from '#contracts';
import { JobLedger } from '#store';
import { FromCaller } from '../../access/caller.js';
import { ApiQueryOf } from '../../http/api-query-of.js';
import { cutOff } from '../../http/hang-up.js';
import { jsonSchema } from '../../http/json-schema.js';
import { Closing } from '../../operation/closing.js';
import { PROMPT_HEADER, promptHeader } from '../../planning/prompt-choice.js';
import { requireOwnJob, retryAfter } from '../job-view.js';
import { shuttingDown } from '../shutting-down.js';
import { ResultsAnswer, resultsFormat } from './answer.js';

/** Serves the results of a job. */
@ApiTags('jobs')
@Controller('v1/jobs/:id/results')
export class ResultsController {
  readonly #jobs: JobLedger;
  readonly #answer: ResultsAnswer;
  readonly #closing: AbortSignal;

  constructor(jobs: JobLedger, answer: ResultsAnswer, closing: Closing) {
    this.#jobs = jobs;
    this.#answer = answer;
    this.#closing = closing.signal;
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
    const job = requireOwnJob(await this.#jobs.get(id), id, caller);
    const seconds = retryAfter(job);
    if (seconds !== null) reply.header('Retry-After', seconds);
    void reply.header(PROMPT_HEADER, promptHeader(job.prompt));
    // A shutdown cannot wait for a job that is followed.
    const signal = cutOff(reply, this.#closing, shuttingDown('The results are incomplete.'));
    return this.#answer.of(job, resultsFormat(query, accept), query, signal);
  }
}
