import { LANES, METRICS } from '#contracts';
import { Gauge, type Registry } from 'prom-client';
import type { Fleet, ModelStatus } from './fleet.js';

/** Prometheus gauges of queues and workers, read at every scrape. */
export class FleetMetrics {
  readonly #registry: Registry;
  readonly #fleet: Fleet;
  readonly #gauges: Gauge[] = [];
  readonly #tasks = this.#gauge(METRICS.queueTasks, 'Tasks in the queue', ['model', 'lane', 'state']);
  readonly #texts = this.#gauge(METRICS.queueTexts, "Texts of unfinished jobs and of this process's waiting requests", [
    'model',
    'lane',
  ]);
  readonly #oldest = this.#gauge(METRICS.queueOldestSeconds, 'Age of the oldest task that waits or runs', [
    'model',
    'lane',
  ]);
  readonly #jobsActive = this.#gauge(METRICS.jobsActive, 'Unfinished jobs', ['model', 'lane']);
  readonly #backlog = this.#gauge(METRICS.queueBacklogSeconds, 'Unfinished texts / texts a second of all workers', [
    'model',
  ]);
  readonly #workersReady = this.#gauge(METRICS.workersReady, 'Workers that take tasks', ['model']);
  readonly #textRate = this.#gauge(METRICS.throughputTexts, 'Texts a second of all workers', ['model']);
  readonly #tokenRate = this.#gauge(METRICS.throughputTokens, 'Tokens a second of all workers', ['model']);
  readonly #fill = this.#gauge(METRICS.throughputFill, 'Real / padded tokens, mean of the busy workers', ['model']);
  readonly #redisUp: Gauge;

  constructor(registry: Registry, fleet: Fleet) {
    this.#registry = registry;
    this.#fleet = fleet;
    this.#redisUp = new Gauge({
      name: METRICS.redisUp,
      help: '1 while the queue Redis answers',
      registers: [registry],
    });
    for (const gauge of this.#gauges) registry.registerMetric(gauge);
  }

  /** The metrics in Prometheus text format. Without Redis, only those of this process. */
  async expose(): Promise<string> {
    try {
      for (const model of (await this.#fleet.read()).models) this.#set(model);
      this.#redisUp.set(1);
    } catch {
      // Old values must not look current.
      for (const gauge of this.#gauges) gauge.reset();
      this.#redisUp.set(0);
    }
    return this.#registry.metrics();
  }

  #set({ lanes, name: model, ...status }: ModelStatus): void {
    for (const lane of LANES) {
      const { jobs, oldestAgeMs, texts, ...tasks } = lanes[lane];
      for (const state of ['waiting', 'active', 'delayed'] as const)
        this.#tasks.set({ model, lane, state }, tasks[state]);
      this.#texts.set({ model, lane }, texts);
      this.#oldest.set({ model, lane }, (oldestAgeMs ?? 0) / 1000);
      this.#jobsActive.set({ model, lane }, jobs);
    }
    this.#workersReady.set({ model }, status.readyWorkers);
    this.#textRate.set({ model }, status.textsPerSecond);
    this.#tokenRate.set({ model }, status.tokensPerSecond);
    // Unknown while nothing is measured: no sample is better than a wrong one.
    setOrRemove(this.#fill, model, status.fill);
    setOrRemove(this.#backlog, model, status.backlogSeconds);
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    const gauge = new Gauge({ name, help, labelNames, registers: [] });
    this.#gauges.push(gauge);
    return gauge;
  }
}

function setOrRemove(gauge: Gauge, model: string, value: number | null): void {
  if (value === null) gauge.remove({ model });
  else gauge.set({ model }, value);
}
