import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  type Caller,
  embed,
  embeddingsRequestSchema,
  embeddingsResponseSchema,
  rowTokens,
  rowTruncated,
} from '#contracts';
import { FromCaller } from '../access/caller.js';
import { RateLimits } from '../access/rate-limits.js';
import { estimateTokens } from '../access/token-estimate.js';
import { hangUp } from '../http/hang-up.js';
import { jsonSchema } from '../http/json-schema.js';
import { parse } from '../http/parse.js';
import { InputReader } from '../input/input-reader.js';
import { OutputShapes } from '../output/output-shape.js';
import { Planner } from '../planning/planner.js';
import { PROMPT_HEADER, promptHeader } from '../planning/prompt-choice.js';
import { Interactive } from './interactive.js';
import { responseBody } from './response-body.js';

/** OpenAI's embeddings endpoint: the client waits for the vectors. */
@ApiTags('embeddings')
@Controller('v1/embeddings')
export class EmbeddingsController {
  readonly #planner: Planner;
  readonly #interactive: Interactive;
  readonly #reader: InputReader;
  readonly #rates: RateLimits;
  readonly #shapes: OutputShapes;

  constructor(
    planner: Planner,
    interactive: Interactive,
    reader: InputReader,
    rates: RateLimits,
    shapes: OutputShapes,
  ) {
    this.#planner = planner;
    this.#interactive = interactive;
    this.#reader = reader;
    this.#rates = rates;
    this.#shapes = shapes;
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Embeds texts and waits for the vectors; compatible with OpenAI' })
  @ApiBody({ schema: jsonSchema(embeddingsRequestSchema, 'input') })
  @ApiResponse({ status: 200, schema: jsonSchema(embeddingsResponseSchema, 'output') })
  async create(@Body() body: unknown, @FromCaller() caller: Caller, @Res() reply: FastifyReply): Promise<void> {
    const signal = hangUp(reply);
    const { encoding_format: encoding, input, user: _user, ...options } = parse(embeddingsRequestSchema, body);
    const inputs = await this.#reader.read(input);
    const plan = await this.#planner.plan(embed.name, options, 'interactive', caller, reply.request.id);
    const estimate = estimateTokens(plan, inputs.values);
    const { rows, cached } = await this.#rates.charged(caller, estimate, reply, async (settle) => {
      const answer = await this.#interactive.compute(plan, inputs, signal);
      await settle(answer.rows.reduce((sum, row) => sum + rowTokens(row), 0));
      return answer;
    });
    const rowBytes = plan.operation.rowBytes(plan.card);
    const writer = this.#shapes.of(plan.spec).writer({ rowBytes, output: plan.output, encoding });
    const answer = await responseBody(plan.card.name, rows, writer);

    const truncated = rows.flatMap((row, index) => (rowTruncated(row) ? [index] : []));
    if (truncated.length > 0) reply.header('x-embedmill-truncated', truncated.slice(0, 100).join(','));
    await reply
      .header('x-embedmill-cached', cached.filter(Boolean).length)
      .header(PROMPT_HEADER, promptHeader(plan.prompt))
      .header('content-type', 'application/json; charset=utf-8')
      .send(answer);
  }
}
