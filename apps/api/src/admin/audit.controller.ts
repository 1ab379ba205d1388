import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type AuditLog as AuditPage, auditLogSchema, type AuditQuery, auditQuerySchema } from '#contracts';
import { AuditLog } from '#access';
import { ApiQueryOf } from '../http/api-query-of.js';
import { jsonSchema } from '../http/json-schema.js';

/** The audit log: actions of operators. */
@ApiTags('admin')
@Controller('admin/v1/audit')
export class AuditController {
  readonly #log: AuditLog;

  constructor(log: AuditLog) {
    this.#log = log;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'The audit log, newest first' })
  @ApiQueryOf(auditQuerySchema)
  @ApiResponse({ status: 200, schema: jsonSchema(auditLogSchema, 'output') })
  async list(@Query({ schema: auditQuerySchema }) { cursor, limit }: AuditQuery): Promise<AuditPage> {
    const { entries, nextCursor } = await this.#log.list(limit, cursor);
    return { data: entries, next_cursor: nextCursor };
  }
}
