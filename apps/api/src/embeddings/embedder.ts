import { ApiError, type EmbeddedText, type TaskTimings, type TextResult } from '#contracts';
import type { LaneControl } from '#queue';
import { decodeRow, type EmbeddingCache, encodeRow } from '#store';
import type { Plan, Planner } from '../planning/planner.js';
import { type TokenLimit, tooLongMessage } from '../planning/token-limit.js';
import { type Coalescer, WaitTimeout } from './coalescer.js';
import type { WaitingTexts } from './waiting-texts.js';

/** Raw vectors of a request's texts, in order, and how many came from the cache. */
export interface Embedded {
  readonly texts: readonly EmbeddedText[];
  readonly cached: number;
}

/** Told how one request went, step by step. */
export interface EmbedWatch {
  /** @param cached whether each text was in the cache, in order */
  lookedUp(cached: readonly boolean[]): void;
  /** Where the workers' time went; once for each task. */
  computed(timings: TaskTimings): void;
}

/** Told of requests that wait. */
export interface WaitCounts {
  accepted(model: string, door: 'embeddings', texts: number): void;
  waited(model: string, seconds: number): void;
}

/** Embeds the texts of a request that waits: cache hits at once, the rest through the queue. */
export class Embedder {
  readonly #planner: Planner;
  readonly #tokenLimit: TokenLimit;
  readonly #coalescer: Coalescer;
  readonly #waiting: WaitingTexts;
  readonly #lanes: LaneControl;
  readonly #near: EmbeddingCache;
  readonly #count: WaitCounts;

  /** @param near this process's own cache, filled with what was computed */
  constructor(
    planner: Planner,
    tokenLimit: TokenLimit,
    coalescer: Coalescer,
    waiting: WaitingTexts,
    lanes: LaneControl,
    near: EmbeddingCache,
    count: WaitCounts,
  ) {
    this.#planner = planner;
    this.#tokenLimit = tokenLimit;
    this.#coalescer = coalescer;
    this.#waiting = waiting;
    this.#lanes = lanes;
    this.#near = near;
    this.#count = count;
  }

  /** @throws ApiError when a text is refused or fails, when the time is over, or when too many wait already */
  async embed(plan: Plan, texts: readonly string[], signal: AbortSignal, watch?: EmbedWatch): Promise<Embedded> {
    if (plan.refuseTooLong) await this.#requireShort(plan, texts);
    this.#count.accepted(plan.card.name, 'embeddings', texts.length);
    const { distinct, row } = await this.#planner.lookup(plan, texts);
    const { dimensions } = plan.card;
    const embedded: EmbeddedText[] = Array.from({ length: texts.length });
    const missing = distinct.filter((_, n) => row[n] === null);
    let cached = 0;
    for (const [n, { positions }] of distinct.entries()) {
      const hit = row[n] ?? null;
      if (hit === null) continue;
      const result = decodeRow(hit, dimensions);
      cached += positions.length;
      for (const position of positions) embedded[position] = result;
    }
    watch?.lookedUp(texts.map((_, position) => embedded[position] !== undefined));
    if (missing.length > 0) {
      const results = await this.#compute(
        plan,
        missing.map(({ text }) => text),
        signal,
        watch,
      );
      const fresh: [string, Buffer][] = [];
      for (const [n, { key, positions }] of missing.entries()) {
        const result = requireEmbedded(results[n]!, positions[0]!, texts.length);
        fresh.push([key, encodeRow(result)]);
        for (const position of positions) embedded[position] = result;
      }
      await this.#near.setMany(fresh);
    }
    return { texts: embedded, cached };
  }

  async #compute(
    { caller, card, spec, lane, requestId }: Plan,
    texts: readonly string[],
    signal: AbortSignal,
    watch: EmbedWatch | undefined,
  ): Promise<TextResult[]> {
    const leave = this.#waiting.enter(card.name, caller.keyId, texts.length);
    const began = performance.now();
    let answered = false;
    try {
      const onTimings = watch === undefined ? undefined : (timings: TaskTimings) => watch.computed(timings);
      const results = await this.#coalescer.compute({
        model: card.name,
        spec,
        lane,
        requestId,
        texts,
        signal,
        onTimings,
      });
      answered = true;
      this.#count.waited(card.name, (performance.now() - began) / 1000);
      return results;
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      // When Redis cannot tell, that was the reason most likely, and nobody paused anything.
      if (await this.#lanes.isPaused(card.name, lane).catch(() => false)) {
        throw new ApiError({
          status: 504,
          code: 'lane_paused',
          message: `An operator has paused the ${lane} lane of model "${card.name}", and there was ${error.message} (EMBED_WAIT_TIMEOUT_MS). Try again when it is resumed.`,
          retryAfter: 30,
          cause: error,
        });
      }
      throw new ApiError({
        status: 504,
        code: 'wait_timeout',
        message: `There was ${error.message} (EMBED_WAIT_TIMEOUT_MS). Try again, or use POST /v1/jobs, which waits as long as it takes.`,
        retryAfter: 5,
        cause: error,
      });
    } finally {
      leave(answered);
    }
  }

  async #requireShort(plan: Plan, texts: readonly string[]): Promise<void> {
    const [first] = await this.#tokenLimit.tooLong(plan, texts);
    if (first === undefined) return;
    const param = texts.length === 1 ? 'input' : `input[${first.index}]`;
    throw new ApiError({
      status: 400,
      code: 'text_too_long',
      param,
      message: tooLongMessage(param, first.tokens, plan),
    });
  }
}

function requireEmbedded(result: TextResult, index: number, count: number): EmbeddedText {
  if (result.ok) return result;
  const { code, message } = result.error;
  throw new ApiError({
    status: code === 'model_changed' ? 503 : 500,
    code,
    param: count === 1 ? 'input' : `input[${index}]`,
    message,
    ...(code === 'model_changed' ? { retryAfter: 1 } : {}),
  });
}
