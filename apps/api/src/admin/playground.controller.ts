import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, type PlaygroundResponse, playgroundRequestSchema, playgroundResponseSchema } from '#contracts';
import { FromCaller } from '../access/caller.js';
import { Embedder } from '../embeddings/embedder.js';
import { INPUT_LIMITS } from '../embeddings/embeddings.controller.js';
import { type InputLimits, readInput } from '../embeddings/read-input.js';
import { parse } from '../errors/parse.js';
import { hangUp } from '../hang-up.js';
import { jsonSchema } from '../openapi/json-schema.js';
import { shapeVector } from '../output/shape-vector.js';
import { Planner } from '../planning/planner.js';
import { Stopwatch } from './stopwatch.js';

/** A few texts to try, on the way that every waiting request takes. */
@ApiTags('admin')
@Controller('admin/v1/playground')
export class PlaygroundController {
  readonly #planner: Planner;
  readonly #embedder: Embedder;
  readonly #limits: InputLimits;

  constructor(
    @Inject(Planner) planner: Planner,
    @Inject(Embedder) embedder: Embedder,
    @Inject(INPUT_LIMITS) limits: InputLimits,
  ) {
    this.#planner = planner;
    this.#embedder = embedder;
    this.#limits = limits;
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Embeds a few texts and tells where the time went' })
  @ApiBody({ schema: jsonSchema(playgroundRequestSchema, 'input') })
  @ApiResponse({ status: 200, schema: jsonSchema(playgroundResponseSchema, 'output') })
  async embed(
    @Body() body: unknown,
    @FromCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PlaygroundResponse> {
    const signal = hangUp(reply);
    const watch = new Stopwatch();
    const { input, ...options } = parse(playgroundRequestSchema, body);
    const texts = await readInput(input, this.#limits);
    const plan = await this.#planner.plan({ ...options, normalize: true }, 'interactive', caller, reply.request.id);
    const embedded = await this.#embedder.embed(plan, texts, signal, watch);
    const times = watch.read();
    const data = embedded.texts.map(({ tokens, truncated, vector }, index) => ({
      index,
      embedding: Array.from(shapeVector(vector, plan.output)),
      tokens,
      truncated,
      cached: watch.cached[index] ?? false,
    }));
    return { model: plan.card.name, data, ...times };
  }
}
