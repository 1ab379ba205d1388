import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type ModelCard, type ModelList, modelListSchema, type ModelObject, modelObjectSchema } from '#contracts';
import { jsonSchema } from '../http/json-schema.js';
import { Fleet } from './fleet.js';
import { ModelDirectory } from '../planning/model-directory.js';

@ApiTags('models')
@Controller('v1/models')
export class ModelsController {
  readonly #models: ModelDirectory;
  readonly #fleet: Fleet;

  constructor(models: ModelDirectory, fleet: Fleet) {
    this.#models = models;
    this.#fleet = fleet;
  }

  @Get()
  @ApiOperation({ summary: 'The models that workers have announced' })
  @ApiResponse({ status: 200, schema: jsonSchema(modelListSchema, 'output') })
  async list(): Promise<ModelList> {
    const cards = await Promise.all(this.#models.names.map((name) => this.#models.known(name)));
    const data = await Promise.all(cards.filter((card) => card !== null).map((card) => this.#view(card)));
    return { object: 'list', data };
  }

  /** A wildcard, since model names may contain slashes, plain or percent-encoded. */
  @Get('*')
  @ApiOperation({ summary: 'One model' })
  @ApiResponse({ status: 200, schema: jsonSchema(modelObjectSchema, 'output') })
  async get(@Param('*') name: string): Promise<ModelObject> {
    return this.#view(await this.#models.card(name));
  }

  async #view(card: ModelCard): Promise<ModelObject> {
    const { embed } = card.operations;
    return {
      id: card.name,
      object: 'model',
      created: Math.floor(card.createdAt / 1000),
      owned_by: card.source,
      max_tokens: card.maxTokens,
      ...(embed && {
        dimensions: embed.defaultDimensions ?? embed.dimensions,
        ...(embed.defaultDimensions !== undefined && { max_dimensions: embed.dimensions }),
        pooling: embed.pooling,
        normalize: embed.normalize,
        matryoshka_dimensions: embed.matryoshka,
      }),
      dtype: card.dtype,
      prompts: Object.keys(card.prompts),
      prompt_texts: card.prompts,
      default_prompt_name: card.defaultPrompt ?? null,
      truncate: card.truncate ?? 'end',
      instruction: card.instruction ?? null,
      fingerprint: card.fingerprint,
      ready_workers: await this.#fleet.readyWorkers(card.name),
    };
  }
}
