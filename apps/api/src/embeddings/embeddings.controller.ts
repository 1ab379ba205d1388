import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, embeddingsRequestSchema, embeddingsResponseSchema } from '#contracts';
import { FromCaller } from '../access/caller.js';
import { parse } from '../errors/parse.js';
import { hangUp } from '../hang-up.js';
import { RateLimits } from '../limits/rate-limits.js';
import { estimateTokens } from '../limits/token-estimate.js';
import { jsonSchema } from '../openapi/json-schema.js';
import { Planner } from '../planning/planner.js';
import { Embedder } from './embedder.js';
import { type InputLimits, readInput } from './read-input.js';
import { responseBody } from './response-body.js';

/** Token of the limits of a request's input. */
export const INPUT_LIMITS = Symbol('input limits');

/** OpenAI's embeddings endpoint: the answer is waited for. */
@ApiTags('embeddings')
@Controller('v1/embeddings')
export class EmbeddingsController {
  readonly #planner: Planner;
  readonly #embedder: Embedder;
  readonly #limits: InputLimits;
  readonly #rates: RateLimits;

  constructor(
    @Inject(Planner) planner: Planner,
    @Inject(Embedder) embedder: Embedder,
    @Inject(INPUT_LIMITS) limits: InputLimits,
    @Inject(RateLimits) rates: RateLimits,
  ) {
    this.#planner = planner;
    this.#embedder = embedder;
    this.#limits = limits;
    this.#rates = rates;
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Embeds texts and waits for the vectors; compatible with OpenAI' })
  @ApiBody({ schema: jsonSchema(embeddingsRequestSchema, 'input') })
  @ApiResponse({ status: 200, schema: jsonSchema(embeddingsResponseSchema, 'output') })
  async create(@Body() body: unknown, @FromCaller() caller: Caller, @Res() reply: FastifyReply): Promise<void> {
    const signal = hangUp(reply);
    const { input, encoding_format: encoding, ...options } = parse(embeddingsRequestSchema, body);
    const texts = await readInput(input, this.#limits);
    const plan = await this.#planner.plan(options, 'interactive', caller, reply.request.id);
    const charge = await this.#rates.charge(caller, estimateTokens(texts, plan.card.maxTokens), reply);
    const embedded = await this.#embedder.embed(plan, texts, signal).catch(async (error: unknown) => {
      await charge.refused(error);
      throw error;
    });
    await charge.settle(embedded.texts.reduce((sum, { tokens }) => sum + tokens, 0));
    const answer = await responseBody(plan.card.name, embedded.texts, plan.output, encoding);

    const truncated = embedded.texts.flatMap((text, index) => (text.truncated ? [index] : []));
    if (truncated.length > 0) reply.header('x-embedmill-truncated', truncated.slice(0, 100).join(','));
    await reply
      .header('x-embedmill-cached', embedded.cached)
      .header('content-type', 'application/json; charset=utf-8')
      .send(answer);
  }
}
