import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiKeys, Authenticator, newKeyOf, viewKey } from '#access';
import {
  ApiError,
  type ApiKeyList,
  apiKeyListSchema,
  type ApiKeyObject,
  apiKeyObjectSchema,
  newApiKeySchema,
} from '#contracts';
import { parse } from '../http/parse.js';
import { jsonSchema } from '../http/json-schema.js';
import { Audit } from './audit.js';

/** Manages API keys; requires scope `admin`. */
@ApiTags('admin')
@Controller('admin/v1/keys')
export class KeysController {
  readonly #keys: ApiKeys;
  readonly #authenticator: Authenticator;
  readonly #audit: Audit;

  constructor(keys: ApiKeys, authenticator: Authenticator, audit: Audit) {
    this.#keys = keys;
    this.#authenticator = authenticator;
    this.#audit = audit;
  }

  @Get()
  @ApiOperation({ summary: 'API keys, newest first, without their secrets' })
  @ApiResponse({ status: 200, schema: jsonSchema(apiKeyListSchema, 'output') })
  async list(): Promise<ApiKeyList> {
    return { object: 'list', data: (await this.#keys.list()).map((record) => viewKey(record)) };
  }

  @Post()
  @HttpCode(201)
  @ApiOperation({ summary: 'Makes an API key; this answer alone has it' })
  @ApiBody({ schema: jsonSchema(newApiKeySchema, 'input') })
  @ApiResponse({ status: 201, schema: jsonSchema(apiKeyObjectSchema, 'output') })
  async create(@Body() body: unknown, @Req() request: FastifyRequest): Promise<ApiKeyObject> {
    const { record, key } = await this.#keys.create(newKeyOf(parse(newApiKeySchema, body)));
    const detail = `${record.name}; tenant ${record.tenant}; ${record.scopes.join(', ')}`;
    await this.#audit.record(request, 'key.create', record.id, detail);
    return viewKey(record, key);
  }

  @Delete(':id')
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'Revokes an API key: within seconds no process takes it any more' })
  @ApiResponse({ status: 200, schema: jsonSchema(apiKeyObjectSchema, 'output') })
  async revoke(@Param('id') id: string, @Req() request: FastifyRequest): Promise<ApiKeyObject> {
    const record = await this.#keys.revoke(id);
    if (record === null) {
      const message = `There is no API key with the id ${JSON.stringify(id)}.`;
      throw new ApiError({ status: 404, code: 'key_not_found', message, param: 'id' });
    }
    this.#authenticator.forget();
    await this.#audit.record(request, 'key.revoke', id, record.name);
    return viewKey(record);
  }
}
