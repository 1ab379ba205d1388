import { LANES, METRICS } from '#contracts';
import { type HistoryRecorder, type RedisCache, waitName } from '#store';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Coalescer } from '../embeddings/coalescer.js';
import type { WaitCounts } from '../embeddings/embedder.js';
import type { WaitingTexts } from '../embeddings/waiting-texts.js';
import type { LookupCounts } from '../planning/planner.js';
import type { DeploymentState } from './deployment-state.js';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Routes of probes: what they answer is no failure of a model. */
const PROBE_ROUTES = /^\/(health\/|metrics$)/;

/** What the gauges are read from at every scrape. */
export interface GaugeSources {
  readonly models: readonly string[];
  readonly state: DeploymentState;
  readonly cache: RedisCache;
  readonly coalescer: Coalescer;
  readonly waiting: WaitingTexts;
}

/** Everything an API process tells Prometheus: what it counted itself, and how the queues stand. */
export class ApiMetrics implements LookupCounts, WaitCounts {
  readonly registry = new Registry();
  readonly #registers = [this.registry];
  readonly #requests = new Histogram({
    name: METRICS.httpRequestSeconds,
    help: 'From the head of a request until the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: this.#registers,
  });
  readonly #lookups = this.#counter(METRICS.cacheLookups, 'Texts looked up in the cache', ['model', 'result']);
  readonly #accepted = this.#counter(METRICS.acceptedTexts, 'Texts accepted', ['model', 'door']);
  readonly #waits = new Histogram({
    name: METRICS.waitSeconds,
    help: 'From the enqueueing of a waiting request until its vectors are there',
    labelNames: ['model'],
    buckets: SECONDS,
    registers: this.#registers,
  });
  readonly #dropped = this.#counter(METRICS.droppedTexts, 'Texts dropped because nobody waited any more', ['model']);
  readonly #cacheErrors = this.#counter(METRICS.cacheErrors, 'Failed reads and writes of the shared cache', []);
  readonly #queueTasks = this.#gauge(METRICS.queueTasks, 'Tasks in the queue', ['model', 'lane', 'state']);
  readonly #queueTexts = this.#gauge(
    METRICS.queueTexts,
    "Texts of unfinished jobs and of this process's waiting requests",
    ['model', 'lane'],
  );
  readonly #oldest = this.#gauge(METRICS.queueOldestSeconds, 'Age of the oldest task that waits or runs', [
    'model',
    'lane',
  ]);
  readonly #backlog = this.#gauge(METRICS.queueBacklogSeconds, 'Unfinished texts / texts a second of all workers', [
    'model',
  ]);
  readonly #workersReady = this.#gauge(METRICS.workersReady, 'Workers that take tasks', ['model']);
  readonly #texts = this.#gauge(METRICS.throughputTexts, 'Texts a second of all workers', ['model']);
  readonly #tokens = this.#gauge(METRICS.throughputTokens, 'Tokens a second of all workers', ['model']);
  readonly #fill = this.#gauge(METRICS.throughputFill, 'Real / padded tokens, mean of the busy workers', ['model']);
  readonly #jobsActive = this.#gauge(METRICS.jobsActive, 'Unfinished jobs', ['model', 'lane']);
  readonly #redisUp = this.#gauge(METRICS.redisUp, '1 while the queue Redis answers', []);
  readonly #cacheUp = this.#gauge(METRICS.cacheUp, '1 while the shared cache answers', []);
  readonly #waitingTexts = this.#gauge(METRICS.waitingTexts, 'Texts that requests of this process wait for', ['model']);
  readonly #coalesced = this.#counter(METRICS.coalescedRequests, 'Requests that shared a task with others', []);

  readonly #historyErrors = this.#counter(METRICS.historyErrors, "What the dashboard's history had to leave out", []);
  readonly #history: HistoryRecorder;

  /** @param history told the same, for the dashboard */
  constructor(history: HistoryRecorder) {
    this.#history = history;
    collectDefaultMetrics({ register: this.registry });
  }

  /** @param model that the request named; `''` when it named none */
  request(method: string, route: string, model: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
    if (status >= 500 && !PROBE_ROUTES.test(route)) this.#history.add(model, 'faults');
  }

  lookups(model: string, hits: number, misses: number): void {
    this.#lookups.inc({ model, result: 'hit' }, hits);
    this.#lookups.inc({ model, result: 'miss' }, misses);
    this.#history.add(model, 'hits', hits);
    this.#history.add(model, 'misses', misses);
  }

  accepted(model: string, door: 'embeddings' | 'jobs', texts: number): void {
    this.#accepted.inc({ model, door }, texts);
  }

  waited(model: string, seconds: number): void {
    this.#waits.observe({ model }, seconds);
    this.#history.add(model, waitName(seconds));
  }

  dropped(model: string, texts: number): void {
    this.#dropped.inc({ model }, texts);
  }

  cacheFailed(): void {
    this.#cacheErrors.inc();
  }

  /** The text that Prometheus reads. Without Redis it has what this process knows by itself. */
  async expose(sources: GaugeSources): Promise<string> {
    this.#cacheUp.set(Number(sources.cache.up));
    this.#coalesced.reset();
    this.#coalesced.inc(sources.coalescer.shared);
    for (const model of sources.models) this.#waitingTexts.set({ model }, sources.waiting.of(model));
    this.#historyErrors.reset();
    this.#historyErrors.inc(this.#history.failures);
    try {
      await this.#gather(sources.state);
      this.#redisUp.set(1);
    } catch {
      // Old figures must not look like present ones.
      for (const gauge of [
        this.#queueTasks,
        this.#queueTexts,
        this.#oldest,
        this.#backlog,
        this.#workersReady,
        this.#jobsActive,
        this.#texts,
        this.#tokens,
        this.#fill,
      ]) {
        gauge.reset();
      }
      this.#redisUp.set(0);
    }
    return this.registry.metrics();
  }

  async #gather(state: DeploymentState): Promise<void> {
    for (const { name: model, lanes, ...rates } of (await state.look()).models) {
      for (const lane of LANES) {
        const { jobs, oldestAgeMs, texts, ...tasks } = lanes[lane];
        for (const state of ['waiting', 'active', 'delayed'] as const)
          this.#queueTasks.set({ model, lane, state }, tasks[state]);
        this.#queueTexts.set({ model, lane }, texts);
        this.#oldest.set({ model, lane }, (oldestAgeMs ?? 0) / 1000);
        this.#jobsActive.set({ model, lane }, jobs);
      }
      this.#workersReady.set({ model }, rates.readyWorkers);
      this.#texts.set({ model }, rates.textsPerSecond);
      this.#tokens.set({ model }, rates.tokensPerSecond);
      // Unknown while nothing is measured: no sample is better than a false one.
      if (rates.fill === null) this.#fill.remove({ model });
      else this.#fill.set({ model }, rates.fill);
      if (rates.backlogSeconds === null) this.#backlog.remove({ model });
      else this.#backlog.set({ model }, rates.backlogSeconds);
    }
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: this.#registers });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: this.#registers });
  }
}
