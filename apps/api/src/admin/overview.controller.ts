import { Controller, Get, Header, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  type History,
  type HistoryQuery,
  historyQuerySchema,
  historySchema,
  type Snapshot,
  snapshotSchema,
} from '#contracts';
import { ApiQueryOf } from '../http/api-query-of.js';
import { jsonSchema } from '../http/json-schema.js';
import { Closing } from '../operation/closing.js';
import { HistoryView } from './history-view.js';
import { LiveSnapshots } from './live-snapshots.js';
import { LiveStream } from './live-stream.js';
import { Snapshots } from './snapshots.js';

/** Present and past state of the deployment. */
@ApiTags('admin')
@Controller('admin/v1')
export class OverviewController {
  readonly #snapshots: Snapshots;
  readonly #live: LiveSnapshots;
  readonly #history: HistoryView;
  readonly #closing: AbortSignal;
  readonly #streams = new Set<LiveStream>();

  constructor(snapshots: Snapshots, live: LiveSnapshots, history: HistoryView, closing: Closing) {
    this.#snapshots = snapshots;
    this.#live = live;
    this.#history = history;
    this.#closing = closing.signal;
    // A shutdown cannot wait for event streams to end. Their clients reconnect to another process.
    closing.signal.addEventListener('abort', () => {
      for (const stream of this.#streams) stream.end();
    });
  }

  @Get('snapshot')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Queues, rates and workers now' })
  @ApiResponse({ status: 200, schema: jsonSchema(snapshotSchema, 'output') })
  snapshot(): Promise<Snapshot> {
    return this.#snapshots.take();
  }

  @Get('live')
  @ApiOperation({ summary: 'The same every 2 s, as server-sent events named `snapshot`' })
  @ApiProduces('text/event-stream')
  @ApiResponse({ status: 200, schema: { type: 'string' } })
  async live(@Res() reply: FastifyReply): Promise<void> {
    const first = await this.#snapshots.take();
    const stream = new LiveStream(() => {
      stopListening();
      this.#streams.delete(stream);
    });
    const stopListening = this.#live.listen((snapshot) => stream.send(snapshot));
    this.#streams.add(stream);
    stream.send(first);
    if (this.#closing.aborted) stream.end();
    await reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream.body);
  }

  @Get('history')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'The last 5 minutes, hour or day, as columns' })
  @ApiQueryOf(historyQuerySchema)
  @ApiResponse({ status: 200, schema: jsonSchema(historySchema, 'output') })
  history(@Query({ schema: historyQuerySchema }) { range }: HistoryQuery): Promise<History> {
    return this.#history.of(range);
  }
}
