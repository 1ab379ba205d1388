import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Readiness, readinessSchema } from '#contracts';
import { jsonSchema } from '../http/json-schema.js';
import { ReadinessCheck } from './readiness.js';

@ApiTags('operation')
@Controller('health')
export class HealthController {
  readonly #check: ReadinessCheck;

  constructor(check: ReadinessCheck) {
    this.#check = check;
  }

  @Get('live')
  @ApiOperation({ summary: 'Whether the process lives' })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether requests can be served: Redis, and at least one worker for each model' })
  @ApiResponse({ status: 200, schema: jsonSchema(readinessSchema, 'output') })
  @ApiResponse({ status: 503, description: 'Not ready', schema: jsonSchema(readinessSchema, 'output') })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.#check.read();
    void reply.status(readiness.ready ? 200 : 503);
    return readiness;
  }
}
