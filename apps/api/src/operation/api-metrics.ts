import { METRICS } from '#contracts';
import { type HistoryRecorder, waitName } from '#store';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Routes of probes: their 5xx responses are not failures of a model. */
const PROBE_ROUTES = /^\/(health\/|metrics$)/;

/** Metrics that an API process records itself. Other components register theirs with `gauge` and `total`. */
export class ApiMetrics {
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
  readonly #accepted = this.#counter(METRICS.acceptedTexts, 'Texts accepted', ['model', 'endpoint']);
  readonly #waits = new Histogram({
    name: METRICS.waitSeconds,
    help: 'From the enqueueing of a waiting request until its vectors are there',
    labelNames: ['model'],
    buckets: SECONDS,
    registers: this.#registers,
  });
  readonly #dropped = this.#counter(METRICS.droppedTexts, 'Texts dropped because nobody waited any more', ['model']);
  readonly #cacheErrors = this.#counter(METRICS.cacheErrors, 'Failed reads and writes of the shared cache', []);
  readonly #history: HistoryRecorder;

  /** @param history also receives the counts, for the dashboard */
  constructor(history: HistoryRecorder) {
    this.#history = history;
    collectDefaultMetrics({ register: this.registry });
    this.total(METRICS.historyErrors, "What the dashboard's history had to leave out", () => history.failures);
  }

  /** @param model named in the request; `''` when there is none */
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

  accepted(model: string, endpoint: 'embeddings' | 'jobs', texts: number): void {
    this.#accepted.inc({ model, endpoint }, texts);
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

  /** Registers a gauge that is read at every scrape. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
    this.registry.registerMetric(gauge);
  }

  /** Registers a gauge with a value for each model, read at every scrape. */
  gaugeByModel(name: string, help: string, models: readonly string[], read: (model: string) => number): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [],
      collect() {
        for (const model of models) this.set({ model }, read(model));
      },
    });
    this.registry.registerMetric(gauge);
  }

  /** Registers a counter whose total is read at every scrape. */
  total(name: string, help: string, read: () => number): void {
    const counter = new Counter({
      name,
      help,
      registers: [],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
    this.registry.registerMetric(counter);
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: this.#registers });
  }
}
