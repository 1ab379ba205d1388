import { z } from 'zod';
import { jobObjectSchema } from '../api/job-api.js';
import { promptShape } from '../api/requests.js';
import { jobStateSchema } from '../record/job.js';
import { laneSchema } from '../task/lane.js';
import { modelNameSchema } from '../record/model-card.js';
import { specSchema, truncationSideSchema } from '../task/spec.js';

/*
 * Requests and responses under /admin/v1, for the dashboard and for clients with an admin key. Times are epoch seconds.
 */

/** Ranges of history and their resolution: each range keeps its last `steps` points of `stepSeconds` each. */
export const HISTORY_RANGES = {
  '5m': { stepSeconds: 2, steps: 150 },
  '1h': { stepSeconds: 30, steps: 120 },
  '24h': { stepSeconds: 600, steps: 144 },
} as const;
export const historyRangeSchema = z.enum(['5m', '1h', '24h']);
export type HistoryRange = z.infer<typeof historyRangeSchema>;

/** Query of `GET /admin/v1/history`. */
export const historyQuerySchema = z.object({ range: historyRangeSchema.default('5m') });
export type HistoryQuery = z.infer<typeof historyQuerySchema>;

/** Null: no data for the step (no API process was running, for example), or nothing to measure in it. */
const seriesSchema = z.array(z.number().nullable());
const perLane = <T extends z.ZodType>(schema: T) => z.object({ interactive: schema, bulk: schema });

/** Time series of one model, each as long as `times`. */
export const historySeriesSchema = z.object({
  /** Tasks waiting, delayed and active. */
  tasks: perLane(seriesSchema),
  /** Unfinished texts. */
  texts: perLane(seriesSchema),
  /** Unfinished texts / texts per second of all workers. */
  backlog_seconds: perLane(seriesSchema),
  texts_per_second: seriesSchema,
  tokens_per_second: seriesSchema,
  /** Share of looked-up texts that the cache had, 0..1. */
  cache_hit_ratio: seriesSchema,
  /** Wait of requests for computed texts; a request answered from the cache alone does not count. */
  wait_p50_seconds: seriesSchema,
  wait_p95_seconds: seriesSchema,
  wait_p99_seconds: seriesSchema,
  /** Real tokens / padded tokens, 0..1. */
  fill: seriesSchema,
  /** Failed texts plus requests answered with 5xx, in the step. */
  errors: seriesSchema,
});
export type HistorySeries = z.infer<typeof historySeriesSchema>;

/** `GET /admin/v1/history?range=`. */
export const historySchema = z.object({
  range: historyRangeSchema,
  step_seconds: z.int(),
  /** End of each step, oldest first. */
  times: z.array(z.int()),
  models: z.record(z.string(), historySeriesSchema),
});
export type History = z.infer<typeof historySchema>;

/** Current state of one lane of a model. */
export const laneViewSchema = z.object({
  waiting: z.int(),
  active: z.int(),
  delayed: z.int(),
  /** Dead-lettered tasks, kept for inspection. */
  failed: z.int(),
  texts: z.int(),
  /** Null: there is work, but no rate is known. */
  backlog_seconds: z.number().nullable(),
  oldest_age_seconds: z.number().nullable(),
  paused: z.boolean(),
});
export type LaneView = z.infer<typeof laneViewSchema>;

/**
 * `no-workers`: no worker is ready. `paused`: at least one lane is paused. `idle`: no work waits. `stalled`: work waits
 * and none is finished. `keeping-up`: less than 5 s of work waits, or texts arrive about as fast as workers finish
 * them. `working`: more work waits, but workers will finish it, as with one large job. `falling-behind`: texts keep
 * arriving faster than workers finish them.
 */
export const verdictStateSchema = z.enum([
  'no-workers',
  'paused',
  'idle',
  'stalled',
  'keeping-up',
  'working',
  'falling-behind',
]);

/** Whether a model's workers keep up, judged over the last five minutes. */
export const modelVerdictSchema = z.object({
  state: verdictStateSchema,
  /** Short text for display: `Working through 28,076 texts, about 4 min left`. */
  message: z.string(),
  /** A sentence with the figures behind the verdict. */
  reason: z.string(),
  unfinished_texts: z.int(),
  /** Unfinished texts / service rate; null: there is work, but no rate is known. */
  backlog_seconds: z.number().nullable(),
  /** Until the backlog is empty at the current arrival and service rates; null: not known, or it does not shrink. */
  seconds_left: z.number().nullable(),
  /** Sustained arrival rate, which a single batch does not raise; null: not known yet. */
  arrival_texts_per_second: z.number().nullable(),
  /** Rate at which workers finish texts while they have enough work; null: not known yet. */
  service_texts_per_second: z.number().nullable(),
});
export type ModelVerdict = z.infer<typeof modelVerdictSchema>;

/** Current state of one model. Rates and `fill`: over the last 10 s; cache hits, waits and errors: over a minute. */
export const modelViewSchema = z.object({
  name: z.string(),
  /** Null: no worker has announced the model yet. */
  fingerprint: z.string().nullable(),
  ready_workers: z.int(),
  verdict: modelVerdictSchema,
  lanes: perLane(laneViewSchema),
  texts_per_second: z.number(),
  tokens_per_second: z.number(),
  cache_hit_ratio: z.number().nullable(),
  wait_seconds: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable(),
  fill: z.number().nullable(),
  errors_per_minute: z.number(),
});
export type ModelView = z.infer<typeof modelViewSchema>;

/**
 * `unfit`: the worker's self-test failed, so it takes no tasks. `lost`: its heartbeats stopped without a shutdown; such
 * a worker is shown for an hour, or until `DELETE /admin/v1/workers/{id}`.
 */
export const workerViewStateSchema = z.enum(['starting', 'ready', 'draining', 'unfit', 'lost']);

export const workerViewSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  device: z.string(),
  state: workerViewStateSchema,
  /** Why the worker is `unfit` or `lost`, as text; null otherwise. */
  reason: z.string().nullable(),
  models: z.array(z.object({ name: z.string(), fingerprint: z.string(), dtype: z.string().nullable() })),
  started_at: z.number(),
  heartbeat_at: z.number(),
  heartbeat_age_seconds: z.number(),
  tokens_per_second: z.number(),
  texts_per_second: z.number(),
  fill: z.number().nullable(),
  tasks_in_flight: z.int(),
  memory_bytes: z.int(),
  metrics_url: z.string().nullable(),
});
export type WorkerView = z.infer<typeof workerViewSchema>;

/** `GET /admin/v1/snapshot`, and each `snapshot` event of `GET /admin/v1/live` (server-sent events). */
export const snapshotSchema = z.object({
  at: z.number(),
  redis: z.enum(['up', 'down']),
  cache: z.enum(['up', 'down']),
  jobs_active: z.int(),
  models: z.array(modelViewSchema),
  workers: z.array(workerViewSchema),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** Query of `GET /admin/v1/jobs`. */
export const adminJobListQuerySchema = z.object({
  cursor: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
  state: jobStateSchema.optional(),
  model: modelNameSchema.optional(),
  /** Id of the API key that sent the job. */
  key: z.string().min(1).max(100).optional(),
  /** Substring of the job's id. */
  id: z.string().min(1).max(100).optional(),
});
export type AdminJobListQuery = z.infer<typeof adminJobListQuerySchema>;

/** A job in responses to operators. */
export const adminJobSchema = jobObjectSchema.extend({
  lane: laneSchema,
  tenant: z.string(),
  key: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
});
export type AdminJob = z.infer<typeof adminJobSchema>;

export const adminJobListSchema = z.object({
  object: z.literal('list'),
  data: z.array(adminJobSchema),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
});
export type AdminJobList = z.infer<typeof adminJobListSchema>;

/** `GET /admin/v1/jobs/{id}`. */
export const adminJobDetailSchema = adminJobSchema.extend({
  spec: specSchema,
  /** Oldest first. */
  timeline: z.array(
    z.object({ at: z.number(), event: z.enum(['created', 'started', 'updated', 'finished', 'expires']) }),
  ),
  slices: z.object({
    /** Texts per bar of the progress display; the last bar may have fewer. */
    texts_each: z.int(),
    /** Share of each bar's texts that have a row or an error, 0..1, in input order; at most 200 bars. */
    done: z.array(z.number()),
  }),
  failures: z.object({
    data: z.array(z.object({ index: z.int(), code: z.string(), message: z.string() })),
    has_more: z.boolean(),
  }),
  /** Failed texts that `POST /v1/jobs/{id}/retry` would retry. */
  retriable: z.int(),
});
export type AdminJobDetail = z.infer<typeof adminJobDetailSchema>;

export const queueActionSchema = z.enum(['pause', 'resume', 'retry-failed', 'clean']);
export type QueueAction = z.infer<typeof queueActionSchema>;

/** Body of `POST /admin/v1/queues/actions`. */
export const queueActionRequestSchema = z.object({
  model: modelNameSchema,
  lane: laneSchema,
  /**
   * `retry-failed`: retries the failed texts of the jobs that dead-lettered tasks belong to. `clean`: removes the
   * records of dead-lettered tasks; waiting work is never removed.
   */
  action: queueActionSchema,
});
export type QueueActionRequest = z.infer<typeof queueActionRequestSchema>;

export const queueActionResultSchema = z.object({
  /** Tasks retried or removed; 0 for pause and resume. */
  affected: z.int(),
});
export type QueueActionResult = z.infer<typeof queueActionResultSchema>;

/** One entry of the audit log: an action of an operator. */
export const auditEntrySchema = z.object({
  id: z.string(),
  at: z.number(),
  /** Null when access control is off. */
  actor: z.object({ key_id: z.string(), name: z.string().nullable() }).nullable(),
  /** `queue.pause`, `job.cancel`, `job.retry`, `key.create`, `key.revoke`, `session.create`, … */
  action: z.string(),
  /** What the action was applied to. */
  target: z.string(),
  detail: z.string(),
  request_id: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** Query of `GET /admin/v1/audit`. */
export const auditQuerySchema = z.object({
  cursor: z
    .string()
    .regex(/^\d{1,16}-\d{1,16}$/, 'is not a cursor that this service gave')
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
export type AuditQuery = z.infer<typeof auditQuerySchema>;

/** `GET /admin/v1/audit`, newest first. */
export const auditLogSchema = z.object({ data: z.array(auditEntrySchema), next_cursor: z.string().nullable() });
export type AuditLog = z.infer<typeof auditLogSchema>;

export const MAX_PLAYGROUND_TEXTS = 32;

/** Body of `POST /admin/v1/playground`. */
export const playgroundRequestSchema = z.object({
  model: modelNameSchema,
  input: z.array(z.string().min(1)).min(1).max(MAX_PLAYGROUND_TEXTS),
  ...promptShape,
  truncate: truncationSideSchema.optional(),
  dimensions: z.int().min(1).optional(),
});
export type PlaygroundRequest = z.infer<typeof playgroundRequestSchema>;

/** Response of `POST /admin/v1/playground`. */
export const playgroundResponseSchema = z.object({
  model: z.string(),
  data: z.array(
    z.object({
      index: z.int(),
      /** L2-normalised. */
      embedding: z.array(z.number()),
      tokens: z.int(),
      truncated: z.boolean(),
      cached: z.boolean(),
    }),
  ),
  /**
   * Time spent in each stage, in order. `lookup`: planning and cache lookup. Only if texts were computed: `queue` until
   * a worker took the task, `tokenize`, `batch` until the micro-batch ran, `inference`, `reply` until the API had the
   * rows.
   */
  stages: z.array(z.object({ stage: z.string(), ms: z.number() })),
  total_ms: z.number(),
});
export type PlaygroundResponse = z.infer<typeof playgroundResponseSchema>;
