import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { ApiKeys, AuditLog, Authenticator, RateWindows, Sessions } from '#access';
import type { Environment } from '#config';
import { Keys, METRICS, OPERATIONS, type Operations } from '#contracts';
import { FairQueueing, LaneControl, LaneProducer } from '#queue';
import {
  Cancellations,
  FailedInputs,
  FinishedJobs,
  HistoryReader,
  HistoryRecorder,
  JobIndex,
  JobInspection,
  JobLedger,
  JobList,
  MemoryCache,
  ModelRegistry,
  RedisCache,
  RedisResults,
  ReplyInbox,
  TieredCache,
  WorkerRegistry,
} from '#store';
import { Audit } from './access/audit.js';
import { OpenRequests } from './access/open-requests.js';
import { RateLimits } from './access/rate-limits.js';
import { SESSION_SECONDS } from './access/session-cookie.js';
import { HistorySampler } from './admin/history-sampler.js';
import { HistoryView } from './admin/history-view.js';
import { LiveSnapshots } from './admin/live-snapshots.js';
import { QueueActions } from './admin/queue-actions.js';
import { Snapshots } from './admin/snapshots.js';
import { Connections } from './connections.js';
import { InputReader } from './input/input-reader.js';
import { InteractiveAdmission } from './interactive/admission.js';
import { Coalescer } from './interactive/coalescer.js';
import { Interactive } from './interactive/interactive.js';
import { BulkAdmission } from './jobs/bulk-admission.js';
import { CancelledJobs } from './jobs/cancelled-jobs.js';
import { JobIntake } from './jobs/job-intake.js';
import { JobRequests } from './jobs/job-requests.js';
import { JobRetry } from './jobs/job-retry.js';
import { JobWatch } from './jobs/job-watch.js';
import { ResultsAnswer } from './jobs/results/answer.js';
import { JobRows } from './jobs/results/job-rows.js';
import { ApiMetrics } from './operation/api-metrics.js';
import { Closing } from './operation/closing.js';
import { Fleet } from './operation/fleet.js';
import { FleetMetrics } from './operation/fleet-metrics.js';
import { ReadinessCheck } from './operation/readiness.js';
import type { OutputShapes } from './output/output-shape.js';
import { OUTPUT_SHAPES } from './output/shapes.js';
import { ModelDirectory } from './planning/model-directory.js';
import { Planner } from './planning/planner.js';
import { PromptLimit } from './planning/prompt-limit.js';
import { TokenLimit } from './planning/token-limit.js';
import { Queues } from './queues.js';

/** Window of rate limits, ms. */
const RATE_WINDOW_MS = 60_000;
const REDIS_PATIENCE_MS = 30_000;

/** Options without an environment variable: tests add an operation and lower some limits. */
export interface ServicesOptions {
  /** Default: all operations of this version. */
  readonly operations?: Operations;
  /** Default: the shapes of all operations of this version. */
  readonly shapes?: OutputShapes;
  /** Longest wait for the queue Redis at start, ms. */
  readonly redisPatienceMs?: number;
  /** Concurrent requests that one key may have in this process. */
  readonly mostOpenRequests?: number;
}

export type ApiServices = ReturnType<typeof createServices>;

/** Composition root: creates all services of an API process, in order of dependency. Starts nothing. */
export function createServices(environment: Environment, log: FastifyBaseLogger, options: ServicesOptions = {}) {
  const { operations = OPERATIONS, shapes = OUTPUT_SHAPES } = options;
  const models = environment.EMBED_MODELS.map(({ name }) => name);
  const waitTimeoutMs = environment.EMBED_WAIT_TIMEOUT_MS;
  const ttlSeconds = environment.EMBED_JOB_TTL_SECONDS;
  const apiId = randomUUID();
  const keys = new Keys(environment.EMBED_KEY_PREFIX);
  const closing = new Closing();

  // Redis and its stores.
  const connections = new Connections(environment, log);
  const { command, subscriber } = connections;
  const recorder = new HistoryRecorder(command, keys);
  const metrics = new ApiMetrics(recorder);
  const index = new JobIndex(command, keys);
  const results = new RedisResults(command, keys);
  const jobs = new JobLedger(command, keys, index, results, { ttlSeconds });
  const list = new JobList(index, jobs);
  const inspection = new JobInspection(command, keys, results);
  const failed = new FailedInputs(command, keys);
  const finished = new FinishedJobs(subscriber, keys);
  const cancellations = new Cancellations(command, keys);
  const inbox = new ReplyInbox(subscriber, command, keys, apiId);
  const workers = new WorkerRegistry(command, keys);
  const cards = new ModelRegistry(command, keys);
  const near = new MemoryCache(environment.EMBED_LRU_BYTES);
  const far = new RedisCache(connections.cache, {
    onError: () => metrics.cacheFailed(),
    ttlSeconds: connections.cacheTtlSeconds,
  });

  // The queue.
  const queues = new Queues(command, keys, environment);
  const producer = new LaneProducer(queues.of, { operations, fairQueueing: new FairQueueing(command, keys) });
  const control = new LaneControl(queues.of);

  // Access control.
  const apiKeys = new ApiKeys(command, keys);
  const authenticator = new Authenticator(apiKeys, environment);
  const sessions = new Sessions(command, keys, { ttlSeconds: SESSION_SECONDS });
  const auditLog = new AuditLog(command, keys);
  const audit = new Audit(auditLog, apiKeys);
  const openRequests = new OpenRequests(options.mostOpenRequests);
  const rates = new RateLimits(new RateWindows(command, keys, RATE_WINDOW_MS), {
    requests: environment.EMBED_RATE_REQUESTS_PER_MINUTE,
    tokens: environment.EMBED_RATE_TOKENS_PER_MINUTE,
  });

  // Input and planning.
  const reader = new InputReader({
    maxInputs: environment.EMBED_MAX_INPUTS,
    maxTextBytes: environment.EMBED_MAX_TEXT_BYTES,
  });
  const directory = new ModelDirectory(cards, models, (model, err) =>
    log.warn({ model, err }, 'the announced model card cannot be read: is a newer version running?'),
  );
  const cache = new TieredCache(near, far);
  const tokenLimit = new TokenLimit(cards, (reason) => log.error(reason));
  const promptLimit = new PromptLimit(tokenLimit);
  const planner = new Planner({ models: directory, promptLimit, operations, shapes, cache, keys, count: metrics });

  // Interactive requests.
  const admission = new InteractiveAdmission(environment.EMBED_MAX_WAITING_TEXTS);
  const onDropped = (model: string, inputs: number) => metrics.dropped(model, inputs);
  const coalescer = new Coalescer({ producer, inbox, cancellations, apiId, waitTimeoutMs, onDropped });
  const interactive = new Interactive({
    planner,
    tokenLimit,
    coalescer,
    admission,
    lanes: control,
    near,
    count: metrics,
  });
  const fleet = new Fleet({ models: directory, lanes: producer, control, jobs: list, workers, admission });

  // Jobs.
  const bulkAdmission = new BulkAdmission(list, fleet, environment.EMBED_MAX_QUEUED_TEXTS);
  const cancelled = new CancelledJobs(cancellations, producer, (error) =>
    log.warn({ err: error }, 'tasks of a cancelled job stay in the queue'),
  );
  const intake = new JobIntake({
    planner,
    jobs,
    producer,
    count: (model, texts) => metrics.accepted(model, 'jobs', texts),
    tokenLimit,
    admission: bulkAdmission,
    rates,
    cancelled,
  });
  const requests = new JobRequests({
    planner,
    intake,
    rates,
    reader,
    closing,
    bodyTimeoutMs: environment.EMBED_BODY_TIMEOUT_MS,
  });
  const retry = new JobRetry({ jobs, failed, operations, models: directory, admission: bulkAdmission, producer });
  const watch = new JobWatch(jobs, finished, closing);
  const answer = new ResultsAnswer(new JobRows(results, jobs), shapes);

  // Operation and admin.
  const sampler = new HistorySampler({ recorder, fleet, admission, models });
  const history = new HistoryView(new HistoryReader(command, keys), models);
  const snapshots = new Snapshots({ fleet, history, workers, cache: far });
  const live = new LiveSnapshots(snapshots, (error) => log.error({ err: error }, 'no snapshot'));
  const queueActions = new QueueActions(control, jobs, retry);
  const readiness = new ReadinessCheck(command, fleet, models, closing);
  const fleetMetrics = new FleetMetrics(metrics.registry, fleet);
  metrics.gauge(METRICS.cacheUp, '1 while the shared cache answers', () => Number(far.up));
  metrics.total(METRICS.coalescedRequests, 'Requests that shared a task with others', () => coalescer.shared);
  metrics.gaugeByModel(METRICS.waitingTexts, 'Texts that requests of this process wait for', models, (model) =>
    admission.of(model),
  );

  return {
    environment,
    log,
    keys,
    models,
    operations,
    shapes,
    closing,
    connections,
    redisPatienceMs: options.redisPatienceMs ?? REDIS_PATIENCE_MS,
    recorder,
    metrics,
    jobs,
    list,
    inspection,
    inbox,
    workers,
    queues,
    apiKeys,
    authenticator,
    sessions,
    auditLog,
    audit,
    openRequests,
    rates,
    reader,
    directory,
    planner,
    tokenLimit,
    interactive,
    fleet,
    cancelled,
    intake,
    requests,
    retry,
    watch,
    answer,
    sampler,
    history,
    snapshots,
    live,
    queueActions,
    readiness,
    fleetMetrics,
  };
}
