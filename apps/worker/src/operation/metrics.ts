import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LANES, METRICS } from '#contracts';
import type { Lane } from '#contracts';
import type { Engine, EngineStats } from '#inference';
import type { Lifecycle } from '../lifecycle.js';
import type { TaskCounts } from '../process/task-processor.js';

const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const TOKENS = [16, 64, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
const FILL = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1];
const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** Prometheus metrics of this worker. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #engines = new Map<string, Engine>();
  readonly #inFlight: Record<Lane, number> = { interactive: 0, bulk: 0 };
  readonly #registers = [this.registry];

  readonly #batchRows = this.#histogram(METRICS.workerBatchRows, 'Texts of a micro-batch', ['model'], ROWS);
  readonly #batchTokens = this.#histogram(
    METRICS.workerBatchTokens,
    'Padded tokens of a micro-batch',
    ['model'],
    TOKENS,
  );
  readonly #batchFill = this.#histogram(
    METRICS.workerBatchFill,
    'Real / padded tokens of a micro-batch',
    ['model'],
    FILL,
  );
  readonly #batchSeconds = this.#histogram(
    METRICS.workerBatchSeconds,
    'Device time of a micro-batch',
    ['model'],
    SECONDS,
  );
  readonly #taskSeconds = this.#histogram(
    METRICS.workerTaskSeconds,
    'From the moment a worker takes a task until its outcomes are stored',
    ['model', 'lane'],
    SECONDS,
  );
  readonly #tasksInFlight = new Gauge({
    name: METRICS.workerTasksInFlight,
    help: 'Tasks this worker holds',
    labelNames: ['model', 'lane'],
    registers: this.#registers,
  });
  readonly #lookups = new Counter({
    name: METRICS.cacheLookups,
    help: 'Texts looked up in the shared cache before inference',
    labelNames: ['model', 'result'],
    registers: this.#registers,
  });
  readonly #dropped = new Counter({
    name: METRICS.droppedTexts,
    help: 'Texts dropped because nobody waited for them any more',
    labelNames: ['model'],
    registers: this.#registers,
  });
  readonly #cacheErrors = new Counter({
    name: METRICS.cacheErrors,
    help: 'Failed reads and writes of the shared cache',
    registers: this.#registers,
  });

  readonly #canaryOk = new Gauge({
    name: METRICS.workerCanaryOk,
    help: '1 while the self-test comes out right',
    labelNames: ['model'],
    registers: this.#registers,
  });
  readonly #canaryFailures = new Counter({
    name: METRICS.workerCanaryFailures,
    help: 'Times the self-test came out wrong or not at all',
    labelNames: ['model'],
    registers: this.#registers,
  });
  readonly #canarySeconds = new Gauge({
    name: METRICS.workerCanarySeconds,
    help: 'Time the self-test took last',
    labelNames: ['model'],
    registers: this.#registers,
  });

  constructor(lifecycle: Lifecycle) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge(METRICS.workerReady, '1 while this worker takes tasks', () => Number(lifecycle.state === 'ready'));
    this.#fromStats(METRICS.workerTexts, 'Texts computed', (stats) => stats.texts);
    this.#fromStats(METRICS.workerTokens, 'Real tokens of texts computed', (stats) => stats.tokens);
    this.#fromStats(METRICS.workerFailedTexts, 'Texts that could not be computed', (stats) => stats.failedTexts);
    this.#fromStats(METRICS.workerDeviceRestarts, 'Device threads started anew', (stats) => stats.deviceRestarts);
  }

  selfTested(model: string, ok: boolean, seconds: number): void {
    this.#canaryOk.set({ model }, Number(ok));
    this.#canaryFailures.inc({ model }, Number(!ok));
    this.#canarySeconds.set({ model }, seconds);
  }

  watchCache(cache: { readonly up: boolean }): void {
    this.#gauge(METRICS.cacheUp, '1 while the shared cache answers', () => Number(cache.up));
  }

  /** Records the batches and counters of an engine. */
  watch(model: string, engine: Engine): void {
    this.#engines.set(model, engine);
    engine.onBatch((batch) => {
      this.#batchRows.observe({ model }, batch.rows);
      this.#batchTokens.observe({ model }, batch.paddedTokens);
      this.#batchFill.observe({ model }, batch.tokens / batch.paddedTokens);
      this.#batchSeconds.observe({ model }, batch.deviceMs / 1000);
    });
    for (const lane of LANES) this.#tasksInFlight.set({ model, lane }, 0);
  }

  /** @returns a function the caller must call when the task has ended, successfully or not. */
  taskBegins(model: string, lane: Lane): () => void {
    const observe = this.#taskSeconds.startTimer({ model, lane });
    this.#tasksInFlight.inc({ model, lane });
    this.#inFlight[lane]++;
    return () => {
      observe();
      this.#tasksInFlight.dec({ model, lane });
      this.#inFlight[lane]--;
    };
  }

  /** Tasks held now, by lane. */
  get tasksInFlight(): Readonly<Record<Lane, number>> {
    return { ...this.#inFlight };
  }

  /** Observer for the task processor of one model. */
  countsOf(model: string): Pick<TaskCounts, 'lookups' | 'dropped'> {
    return {
      lookups: (hits, misses) => {
        this.#lookups.inc({ model, result: 'hit' }, hits);
        this.#lookups.inc({ model, result: 'miss' }, misses);
      },
      dropped: (texts) => this.#dropped.inc({ model }, texts),
    };
  }

  cacheFailed(): void {
    this.#cacheErrors.inc();
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: this.#registers });
  }

  #gauge(name: string, help: string, read: () => number): void {
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

  #fromStats(name: string, help: string, read: (stats: EngineStats) => number): void {
    const engines = this.#engines;
    const counter = new Counter({
      name,
      help,
      labelNames: ['model'],
      registers: [],
      collect() {
        this.reset();
        for (const [model, engine] of engines) this.inc({ model }, read(engine.stats()));
      },
    });
    this.registry.registerMetric(counter);
  }
}
