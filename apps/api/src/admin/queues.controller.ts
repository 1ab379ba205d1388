import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type QueueActionResult, queueActionRequestSchema, queueActionResultSchema } from '#contracts';
import { Audit } from '../access/audit.js';
import { parse } from '../http/parse.js';
import { ModelDirectory } from '../planning/model-directory.js';
import { jsonSchema } from '../http/json-schema.js';
import { QueueActions } from './queue-actions.js';

/** Operator actions on queues. */
@ApiTags('admin')
@Controller('admin/v1/queues')
export class QueuesController {
  readonly #actions: QueueActions;
  readonly #models: ModelDirectory;
  readonly #audit: Audit;

  constructor(actions: QueueActions, models: ModelDirectory, audit: Audit) {
    this.#actions = actions;
    this.#models = models;
    this.#audit = audit;
  }

  @Post('actions')
  @HttpCode(200)
  @ApiOperation({ summary: 'Pauses or resumes a lane, retries its failed tasks, or cleans their records away' })
  @ApiBody({ schema: jsonSchema(queueActionRequestSchema, 'input') })
  @ApiResponse({ status: 200, schema: jsonSchema(queueActionResultSchema, 'output') })
  async act(@Body() body: unknown, @Req() request: FastifyRequest): Promise<QueueActionResult> {
    const asked = parse(queueActionRequestSchema, body);
    this.#models.requireServed(asked.model);
    const affected = await this.#actions.act(asked);
    const moves = asked.action === 'pause' || asked.action === 'resume';
    const detail = moves ? '' : `${affected} tasks`;
    await this.#audit.record(request, `queue.${asked.action}`, `${asked.model}/${asked.lane}`, detail);
    return { affected };
  }
}
