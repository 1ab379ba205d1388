import { setTimeout as delay } from 'node:timers/promises';
import { BootError, type Operations, rowFloats } from '#contracts';
import type { ModelCard, Operation } from '#contracts';
import type { CanaryReferences } from '#store';
import type { Lifecycle } from '../lifecycle.js';
import type { Heartbeat } from '../operation/heartbeat.js';
import type { Log } from '../log.js';
import type { WorkerMetrics } from '../operation/metrics.js';
import type { Served } from '../process/served-models.js';
import type { LaneWorkers } from '../queue/lane-workers.js';
import { defectOf, differenceOf } from './judge.js';

/** Delay between checks while unfit, ms: doubles each time. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

export interface CanaryParts {
  readonly served: readonly Served[];
  readonly operations: Operations;
  readonly references: CanaryReferences;
  readonly lifecycle: Lifecycle;
  readonly lanes: LaneWorkers;
  readonly heartbeat: Heartbeat;
  readonly metrics: WorkerMetrics;
  readonly log: Log;
  /** Time between checks, ms; 0: check only at the start. */
  readonly everyMs: number;
  /** Longest time in which a device may finish nothing while it owes an answer, ms. */
  readonly patienceMs: number;
}

/**
 * The canary is a worker's self-test: each device computes an example, which is compared with a reference. While a
 * device gives a wrong answer or none, this worker takes no tasks, returns those it holds to the queue and reports the
 * reason. It keeps checking, and takes tasks again once the check passes.
 */
export class Canary {
  readonly #parts: CanaryParts;
  readonly #ended = new AbortController();
  /** Reference name -> reference, used while Redis is unavailable. */
  readonly #known = new Map<string, Float32Array>();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: CanaryParts) {
    this.#parts = parts;
  }

  /** The first check, before any task is taken. @throws BootError naming the model and the fault */
  async check(): Promise<void> {
    const fault = await this.#test();
    if (fault === null) return;
    throw new BootError(
      `the device does not work as it should: ${fault}. If this one is right and the first of its kind was not, delete ` +
        'the reference: see the canary in docs/operations.md',
    );
  }

  /** Starts the periodic checks. */
  start(): void {
    if (this.#parts.everyMs > 0) this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { everyMs, heartbeat, lanes, lifecycle, log } = this.#parts;
    let retryMs = FIRST_RETRY_MS;
    for (;;) {
      await this.#pause(lifecycle.state === 'unfit' ? retryMs : everyMs);
      if (this.#ended.signal.aborted || lifecycle.state === 'draining') return;
      const fault = await this.#test();
      if (this.#ended.signal.aborted) return;
      if (fault === null) {
        if (lifecycle.state !== 'unfit') continue;
        lifecycle.fit();
        lanes.resume();
        retryMs = FIRST_RETRY_MS;
        log.info('the self-test is passed again: tasks are taken');
      } else {
        if (lifecycle.state !== 'unfit') log.error({ reason: fault }, 'out of service: tasks go back to the queue');
        else retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
        lifecycle.unfit(fault);
        lanes.pause();
        // A new session may fix the fault.
        for (const { engine } of this.#parts.served) engine.restartDevice();
      }
      void heartbeat.beat();
    }
  }

  /** @returns the first fault found, as text; null when there is none */
  async #test(): Promise<string | null> {
    const { metrics, operations, served } = this.#parts;
    for (const one of served) {
      const { card } = one.model;
      const began = performance.now();
      let fault: string | null = null;
      for (const operation of operations.all) {
        if (operation.isServedBy(card)) fault ??= await this.#testOperation(one, operation);
      }
      metrics.selfTested(card.name, fault === null, (performance.now() - began) / 1000);
      if (fault !== null) return `${card.name}: ${fault}`;
    }
    return null;
  }

  async #testOperation({ engine, model: { card } }: Served, operation: Operation): Promise<string | null> {
    const dropped = new AbortController();
    const answer = engine
      .run([operation.texts(operation.example)], {
        prompt: '',
        truncate: 'end',
        lane: 'interactive',
        signals: dropped.signal,
        counted: false,
      })
      .catch((error: unknown) => error as Error);
    let batches = engine.stats().batches;
    for (;;) {
      const outcomes = await Promise.race([answer, this.#pause(this.#parts.patienceMs)]);
      if (outcomes instanceof Error) return `no answer: ${outcomes.message}`;
      if (outcomes !== undefined) {
        const [outcome] = outcomes;
        const defect = defectOf(outcome);
        if (defect !== null || !Buffer.isBuffer(outcome)) return defect;
        const floats = rowFloats(outcome);
        return differenceOf(floats, await this.#reference(referenceOf(card, operation), floats), card.dtype);
      }
      if (this.#ended.signal.aborted) return null;
      // As long as the device finishes batches, it is only slow, and this one will finish too.
      const now = engine.stats().batches;
      if (now === batches) {
        dropped.abort();
        return `no answer within ${this.#parts.patienceMs / 1000} s, in which the device finished nothing`;
      }
      batches = now;
    }
  }

  async #reference(name: string, floats: Float32Array): Promise<Float32Array> {
    try {
      this.#known.set(name, await this.#parts.references.agree(name, floats));
    } catch {
      // Redis is unavailable, which its connection logs: use this worker's own first answer.
      if (!this.#known.has(name)) this.#known.set(name, floats.slice());
    }
    return this.#known.get(name)!;
  }

  async #pause(ms: number): Promise<undefined> {
    await delay(ms, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
  }
}

/** The name of a reference. 0.1.0 had only `embed` and used the fingerprint alone. */
function referenceOf({ fingerprint }: ModelCard, { name }: Operation): string {
  return name === 'embed' ? fingerprint : `${fingerprint}-${name}`;
}
