import { setTimeout as delay } from 'node:timers/promises';
import { BootError } from '#contracts';
import type { CanaryReferences } from '#store';
import type { Heartbeat } from '../heartbeat.js';
import type { LaneWorkers } from '../lanes.module.js';
import type { Lifecycle } from '../lifecycle.js';
import type { Log } from '../log.js';
import type { WorkerMetrics } from '../metrics.js';
import type { Served } from '../served-models.js';
import { defectOf, differenceOf } from './judge.js';

/** Long enough to use most of a model, short enough to cost nothing. */
const GOLDEN_TEXT =
  'The miller grinds wheat, rye and barley: 3 sacks before noon, 5 after it. Die Mühle mahlt langsam, aber fein.';
/** Between two tries while unfit, ms: doubled each time. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

export interface CanaryParts {
  readonly served: readonly Served[];
  readonly references: CanaryReferences;
  readonly lifecycle: Lifecycle;
  readonly lanes: LaneWorkers;
  readonly heartbeat: Heartbeat;
  readonly metrics: WorkerMetrics;
  readonly log: Log;
  /** Between two songs, ms; 0: only at the start. */
  readonly everyMs: number;
  /** Longest that a device may do nothing at all while it owes an answer, ms. */
  readonly patienceMs: number;
}

/**
 * The canary sings through each device: a golden text is embedded and compared with what it should be. While a device
 * answers wrong or not at all, this worker takes no tasks, gives back those it holds, and says why; it tries again, and
 * returns when all is well.
 */
export class Canary {
  readonly #parts: CanaryParts;
  readonly #ended = new AbortController();
  /** Fingerprint -> reference, for when Redis cannot be asked. */
  readonly #known = new Map<string, Float32Array>();
  #singing: Promise<void> = Promise.resolve();

  constructor(parts: CanaryParts) {
    this.#parts = parts;
  }

  /** The first song, before any task is taken. @throws BootError naming the model and what is wrong */
  async audition(): Promise<void> {
    const fault = await this.#sing();
    if (fault === null) return;
    throw new BootError(
      `the device does not work as it should: ${fault}. If this one is right and the first of its kind was not, delete ` +
        'the reference: see the canary in docs/operations.md',
    );
  }

  /** Sings from now on. */
  start(): void {
    if (this.#parts.everyMs > 0) this.#singing = this.#singOn();
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#singing;
  }

  async #singOn(): Promise<void> {
    const { everyMs, heartbeat, lanes, lifecycle, log } = this.#parts;
    let retryMs = FIRST_RETRY_MS;
    for (;;) {
      await this.#rest(lifecycle.state === 'unfit' ? retryMs : everyMs);
      if (this.#ended.signal.aborted || lifecycle.state === 'draining') return;
      const fault = await this.#sing();
      if (this.#ended.signal.aborted) return;
      if (fault === null) {
        if (lifecycle.state !== 'unfit') continue;
        lifecycle.fit();
        lanes.resume();
        retryMs = FIRST_RETRY_MS;
        log.info('the canary sings again: tasks are taken');
      } else {
        if (lifecycle.state !== 'unfit') log.error({ reason: fault }, 'out of service: tasks go back to the queue');
        else retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
        lifecycle.unfit(fault);
        lanes.pause();
        // A fresh session may mend what went wrong with this one.
        for (const { engine } of this.#parts.served) engine.restartDevice();
      }
      void heartbeat.beat();
    }
  }

  /** @returns the first model's fault, in words; null when there is none */
  async #sing(): Promise<string | null> {
    const { metrics, served } = this.#parts;
    for (const one of served) {
      const began = performance.now();
      const fault = await this.#through(one);
      metrics.canarySang(one.model.card.name, fault === null, (performance.now() - began) / 1000);
      if (fault !== null) return `${one.model.card.name}: ${fault}`;
    }
    return null;
  }

  async #through({ engine, model: { card } }: Served): Promise<string | null> {
    const dropped = new AbortController();
    const answer = engine
      .embed([GOLDEN_TEXT], {
        prompt: '',
        truncate: 'end',
        lane: 'interactive',
        signals: dropped.signal,
        counted: false,
      })
      .catch((error: unknown) => error as Error);
    let batches = engine.stats().batches;
    for (;;) {
      const results = await Promise.race([answer, this.#rest(this.#parts.patienceMs)]);
      if (results instanceof Error) return `no answer: ${results.message}`;
      if (results !== undefined) {
        const [result] = results;
        const defect = defectOf(result);
        if (defect !== null || !result?.ok) return defect;
        return differenceOf(result.vector, await this.#reference(card.fingerprint, result.vector), card.dtype);
      }
      if (this.#ended.signal.aborted) return null;
      // Slow is not stuck: as long as batches come back, so will this one.
      const now = engine.stats().batches;
      if (now === batches) {
        dropped.abort();
        return `no answer within ${this.#parts.patienceMs / 1000} s, in which the device finished nothing`;
      }
      batches = now;
    }
  }

  async #reference(fingerprint: string, vector: Float32Array): Promise<Float32Array> {
    try {
      this.#known.set(fingerprint, await this.#parts.references.agree(fingerprint, vector));
    } catch {
      // Redis is away, which its connection reports: this worker's own first answer has to do.
      if (!this.#known.has(fingerprint)) this.#known.set(fingerprint, vector.slice());
    }
    return this.#known.get(fingerprint)!;
  }

  async #rest(ms: number): Promise<undefined> {
    await delay(ms, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
  }
}
