import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  type Caller,
  embed,
  type PlaygroundResponse,
  playgroundRequestSchema,
  playgroundResponseSchema,
  rowTokens,
  rowTruncated,
} from '#contracts';
import { FromCaller } from '../access/caller.js';
import { hangUp } from '../http/hang-up.js';
import { jsonSchema } from '../http/json-schema.js';
import { parse } from '../http/parse.js';
import { InputReader } from '../input/input-reader.js';
import { Interactive } from '../interactive/interactive.js';
import { OutputShapes } from '../output/output-shape.js';
import { Planner } from '../planning/planner.js';
import { PROMPT_HEADER, promptHeader } from '../planning/prompt-choice.js';
import { stagesOf } from './stages.js';

/** Embeds a few texts to try out, on the same path as POST /v1/embeddings. */
@ApiTags('admin')
@Controller('admin/v1/playground')
export class PlaygroundController {
  readonly #planner: Planner;
  readonly #interactive: Interactive;
  readonly #reader: InputReader;
  readonly #shapes: OutputShapes;

  constructor(planner: Planner, interactive: Interactive, reader: InputReader, shapes: OutputShapes) {
    this.#planner = planner;
    this.#interactive = interactive;
    this.#reader = reader;
    this.#shapes = shapes;
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
    const began = performance.now();
    const { input, ...options } = parse(playgroundRequestSchema, body);
    const inputs = await this.#reader.read(input);
    const wishes = { ...options, normalize: true };
    const plan = await this.#planner.plan(embed.name, wishes, 'interactive', caller, reply.request.id);
    const planned = performance.now();
    const answer = await this.#interactive.compute(plan, inputs, signal);
    const totalMs = performance.now() - began;

    void reply.header(PROMPT_HEADER, promptHeader(plan.prompt));
    const rowBytes = plan.operation.rowBytes(plan.card);
    const writer = this.#shapes.of(plan.spec).writer({ rowBytes, output: plan.output, encoding: 'float' });
    const data = answer.rows.map((row, index) => {
      const floats = new Float32Array(writer.width);
      writer.into(row, floats);
      return {
        index,
        embedding: Array.from(floats),
        tokens: rowTokens(row),
        truncated: rowTruncated(row),
        cached: answer.cached[index] ?? false,
      };
    });
    const stages = stagesOf(planned - began + answer.lookupMs, totalMs, answer.timings);
    return { model: plan.card.name, data, stages, total_ms: totalMs };
  }
}
