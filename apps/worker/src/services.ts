import { ApiKeys, Authenticator } from '#access';
import type { Environment } from '#config';
import { Keys, OPERATIONS, type Operations } from '#contracts';
import {
  CancellationListener,
  Cancellations,
  CanaryReferences,
  HistoryRecorder,
  JobIndex,
  JobLedger,
  ModelRegistry,
  RedisCache,
  RedisResults,
  Replies,
  WorkerRegistry,
} from '#store';
import { Connections } from './connections.js';
import { Lifecycle } from './lifecycle.js';
import type { Log } from './log.js';
import { WorkerMetrics } from './operation/metrics.js';
import { LiveTasks } from './process/live-tasks.js';
import { type ModelSource, onnxModels } from './process/model-source.js';
import { ServedModels } from './process/served-models.js';
import { TaskProcessor } from './process/task-processor.js';

/** Options without an environment variable: tests shorten some times and add an operation. */
export interface ServicesOptions {
  /** Default: loads models from their files and runs them with ONNX Runtime. */
  readonly source?: ModelSource;
  /** Default: all operations of this version. */
  readonly operations?: Operations;
  /** How often the worker writes its registry record, ms. */
  readonly heartbeatMs?: number;
  /** Longest time in which a device may finish nothing while it owes the self-test's answer, ms. */
  readonly selfTestPatienceMs?: number;
  /** Longest wait for the queue Redis at start, ms. */
  readonly redisPatienceMs?: number;
}

const HEARTBEAT_MS = 3000;
const SELF_TEST_PATIENCE_MS = 30_000;
const REDIS_PATIENCE_MS = 30_000;

export type WorkerServices = ReturnType<typeof createServices>;

/** Composition root: creates all services of a worker. `boot` starts them. */
export function createServices(environment: Environment, log: Log, options: ServicesOptions = {}) {
  const { operations = OPERATIONS, source = onnxModels(environment, log) } = options;
  const keys = new Keys(environment.EMBED_KEY_PREFIX);
  const connections = new Connections(environment, log);
  const { cacheTtlSeconds: ttlSeconds, command, results, subscriber } = connections;

  const lifecycle = new Lifecycle();
  const metrics = new WorkerMetrics(lifecycle);
  const history = new HistoryRecorder(command, keys);
  const live = new LiveTasks();
  const cache = new RedisCache(connections.cache, { onError: () => metrics.cacheFailed(), ttlSeconds });
  const jobs = new JobLedger(results, keys, new JobIndex(results, keys), new RedisResults(results, keys), {
    ttlSeconds: environment.EMBED_JOB_TTL_SECONDS,
  });
  const replies = new Replies(results, keys);
  const cancellations = new Cancellations(results, keys);

  const models = new ServedModels(environment, log, source, ({ engine, model: { card } }) => {
    const count = {
      ...metrics.countsOf(card.name),
      deadLettered: (texts: number) => history.add(card.name, 'failed', texts),
    };
    return new TaskProcessor({ card, operations, engine, keys, cache, jobs, replies, cancellations, live, count });
  });

  return {
    environment,
    log,
    keys,
    operations,
    connections,
    lifecycle,
    metrics,
    history,
    live,
    cache,
    models,
    cancellationListener: new CancellationListener(subscriber, keys),
    workers: new WorkerRegistry(command, keys),
    cards: new ModelRegistry(command, keys),
    canaryReferences: new CanaryReferences(command, keys),
    authenticator: new Authenticator(new ApiKeys(command, keys), environment),
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    selfTestPatienceMs: options.selfTestPatienceMs ?? SELF_TEST_PATIENCE_MS,
    redisPatienceMs: options.redisPatienceMs ?? REDIS_PATIENCE_MS,
  };
}
