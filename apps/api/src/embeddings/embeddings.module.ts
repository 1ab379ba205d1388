import { type DynamicModule, Module } from '@nestjs/common';
import type { Environment } from '#contracts';
import { LaneControl, LaneProducer } from '#queue';
import { Aborts, MemoryCache, ReplyInbox } from '#store';
import { ApiMetrics } from '../metrics/api-metrics.js';
import { Planner } from '../planning/planner.js';
import { TokenLimit } from '../planning/token-limit.js';
import { ApiId } from '../redis.module.js';
import { Coalescer } from './coalescer.js';
import { Embedder } from './embedder.js';
import { EmbeddingsController, INPUT_LIMITS } from './embeddings.controller.js';
import { QueueExchange } from './queue-exchange.js';
import { WaitingTexts } from './waiting-texts.js';

/** The door for those who wait. */
@Module({})
export class EmbeddingsModule {
  static for(environment: Environment): DynamicModule {
    const waitTimeoutMs = environment.EMBED_WAIT_TIMEOUT_MS;
    return {
      module: EmbeddingsModule,
      controllers: [EmbeddingsController],
      providers: [
        {
          provide: INPUT_LIMITS,
          useValue: { maxInputs: environment.EMBED_MAX_INPUTS, maxTextBytes: environment.EMBED_MAX_TEXT_BYTES },
        },
        { provide: WaitingTexts, useFactory: () => new WaitingTexts(environment.EMBED_MAX_WAITING_TEXTS) },
        {
          provide: Coalescer,
          useFactory: (lanes: LaneProducer, inbox: ReplyInbox, aborts: Aborts, metrics: ApiMetrics, id: ApiId) => {
            const onDropped = (model: string, texts: number) => metrics.dropped(model, texts);
            return new Coalescer(new QueueExchange(lanes, inbox, aborts, { waitTimeoutMs, onDropped }), {
              apiId: id.value,
              windowMs: environment.EMBED_COALESCE_MS,
              waitTimeoutMs,
              taskLimits: { maxTexts: environment.EMBED_TASK_TEXTS, maxBytes: environment.EMBED_TASK_BYTES },
            });
          },
          inject: [LaneProducer, ReplyInbox, Aborts, ApiMetrics, ApiId],
        },
        {
          provide: Embedder,
          useFactory: (
            planner: Planner,
            tokenLimit: TokenLimit,
            coalescer: Coalescer,
            waiting: WaitingTexts,
            lanes: LaneControl,
            near: MemoryCache,
            metrics: ApiMetrics,
          ) => new Embedder(planner, tokenLimit, coalescer, waiting, lanes, near, metrics),
          inject: [Planner, TokenLimit, Coalescer, WaitingTexts, LaneControl, MemoryCache, ApiMetrics],
        },
      ],
      exports: [Coalescer, Embedder, INPUT_LIMITS, WaitingTexts],
    };
  }
}
