import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { WorkerRecord } from '#contracts';
import type { EngineStats } from '#inference';
import type { ModelRegistry, WorkerRegistry } from '#store';
import type { Lifecycle } from '../lifecycle.js';
import type { Log } from '../log.js';
import type { WorkerMetrics } from './metrics.js';
import type { ServedModels } from '../process/served-models.js';

/** The worker's record expires after this many heartbeat intervals; then it counts as lost. */
const LOST_BEATS = 4;

export interface HeartbeatParts {
  readonly everyMs: number;
  readonly version: string;
  readonly metricsUrl: string;
  readonly lifecycle: Lifecycle;
  readonly models: ServedModels;
  readonly metrics: WorkerMetrics;
  readonly workers: WorkerRegistry;
  readonly cards: ModelRegistry;
  readonly log: Log;
}

/**
 * Writes this worker's record to the registry: that it lives, what it serves and how fast. While the worker is ready,
 * it also announces the models, again when Redis has lost them. Failures are logged once per outage.
 */
export class Heartbeat {
  readonly workerId = randomUUID();
  readonly #parts: HeartbeatParts;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #last: { at: number; texts: number; tokens: number; paddedTokens: number };
  #failing = false;
  #ended = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#last = { at: performance.now(), ...sum([]) };
  }

  /** Identity of this worker and the model versions it serves. */
  get self(): Pick<WorkerRecord, 'id' | 'startedAt' | 'models'> {
    const { lifecycle, models } = this.#parts;
    return {
      id: this.workerId,
      startedAt: lifecycle.startedAt,
      models: Object.fromEntries(models.loaded.map(({ card }) => [card.name, card.fingerprint])),
    };
  }

  /** Whether the last heartbeat reached Redis. */
  get lastBeatOk(): boolean {
    return !this.#failing;
  }

  /** Writes the first heartbeat, then one every `everyMs`. Rejects when the first one fails. */
  async start(): Promise<void> {
    await this.#write();
    this.#next();
  }

  /** Writes an extra heartbeat, so that a change of state is visible at once. Never rejects. */
  async beat(): Promise<void> {
    this.#beating = this.#beating
      .then(() => this.#write())
      .then(
        () => {
          if (this.#failing) this.#parts.log.info('heartbeats reach Redis again');
          this.#failing = false;
        },
        (error: unknown) => {
          if (!this.#failing) this.#parts.log.warn({ err: error }, 'heartbeats do not reach Redis');
          this.#failing = true;
        },
      );
    await this.#beating;
  }

  /** Stops the heartbeat and removes this worker from the registry. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#beating;
    await this.#parts.workers.remove(this.workerId);
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      void this.beat().then(() => {
        if (!this.#ended) this.#next();
      });
    }, this.#parts.everyMs);
  }

  async #write(): Promise<void> {
    if (this.#ended) return;
    const { cards, everyMs, lifecycle, models, workers } = this.#parts;
    await workers.heartbeat(this.#record(), everyMs * LOST_BEATS);
    if (lifecycle.state !== 'ready') return;
    for (const model of models.loaded) {
      const announced = await cards.card(model.card.name);
      if (announced?.fingerprint !== model.card.fingerprint) await cards.announce(model.card, model.tokenizerFiles);
    }
  }

  #record(): WorkerRecord {
    const { lifecycle, metrics, metricsUrl, models, version } = this.#parts;
    const now = { at: performance.now(), ...sum(models.started.map(({ engine }) => engine.stats())) };
    const seconds = Math.max(now.at - this.#last.at, 1) / 1000;
    const padded = now.paddedTokens - this.#last.paddedTokens;
    const record: WorkerRecord = {
      ...this.self,
      host: hostname(),
      pid: process.pid,
      version,
      device: models.device,
      state: lifecycle.state,
      reason: lifecycle.reason,
      metricsUrl,
      heartbeatAt: Date.now(),
      tokensPerSecond: (now.tokens - this.#last.tokens) / seconds,
      textsPerSecond: (now.texts - this.#last.texts) / seconds,
      fill: padded > 0 ? (now.tokens - this.#last.tokens) / padded : null,
      tasksInFlight: metrics.tasksInFlight,
      memoryBytes: process.memoryUsage.rss(),
    };
    this.#last = now;
    return record;
  }
}

function sum(stats: readonly EngineStats[]): { texts: number; tokens: number; paddedTokens: number } {
  const total = { texts: 0, tokens: 0, paddedTokens: 0 };
  for (const one of stats) {
    total.texts += one.texts;
    total.tokens += one.tokens;
    total.paddedTokens += one.paddedTokens;
  }
  return total;
}
