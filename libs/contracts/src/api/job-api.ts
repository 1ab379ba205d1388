import { z } from 'zod';
import { jobStateSchema } from '../record/job.js';
import { modelNameSchema } from '../record/model-card.js';
import { textErrorSchema } from '../text-error.js';

/** Query of `GET /v1/jobs/{id}`. */
export const jobQuerySchema = z.object({
  /** Delay the response until the job is final, at most this many seconds. */
  wait: z.coerce.number().min(0).max(60).default(0),
});
export type JobQuery = z.infer<typeof jobQuerySchema>;

/** Query of `GET /v1/jobs`. */
export const jobListQuerySchema = z.object({
  cursor: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  state: jobStateSchema.optional(),
  model: modelNameSchema.optional(),
});
export type JobListQuery = z.infer<typeof jobListQuerySchema>;

/**
 * `json`: one page. `ndjson`: one line per text. `f32`: little-endian float32 rows without a header. `npy`: the same
 * with NumPy's header.
 */
export const resultsFormatSchema = z.enum(['json', 'ndjson', 'f32', 'npy']);
export type ResultsFormat = z.infer<typeof resultsFormatSchema>;

/** Query of `GET /v1/jobs/{id}/results`. */
export const resultsQuerySchema = z.object({
  /** Absent: chosen by the `Accept` header, else `json`. */
  format: resultsFormatSchema.optional(),
  /** First position to return: the `next_cursor` of the previous page. */
  cursor: z
    .string()
    .regex(/^\d{1,10}$/, 'is not a cursor that this service gave')
    .transform(Number)
    .default(0),
  /** Maximum number of rows. Absent: 100 for `json`, all for the other formats. */
  limit: z.coerce.number().int().min(1).optional(),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  /** Absent: as in the request that created the job. */
  dimensions: z.coerce.number().int().min(1).optional(),
  /** Absent: as in the request that created the job. */
  normalize: z.stringbool().optional(),
});
export type ResultsQuery = z.infer<typeof resultsQuerySchema>;

/** Maximum number of rows in one page of `GET /v1/jobs/{id}/results`. */
export const MAX_PAGE_ROWS = 1000;

/** A job in responses to clients. Times are epoch seconds, null until they happen. */
export const jobObjectSchema = z.object({
  id: z.string(),
  object: z.literal('job'),
  state: jobStateSchema,
  /** What is computed for each text: `embed`. */
  operation: z.string(),
  model: z.string(),
  priority: z.enum(['high', 'normal']),
  /** Name of the prompt before each text, `instruction` for the request's own; null: none. */
  prompt: z.string().nullable(),
  counts: z.object({
    /** Accepted so far; the total once `state` is no longer `receiving`. */
    texts: z.int(),
    done: z.int(),
    /** Of `done`: found in the cache on arrival. */
    cached: z.int(),
    failed: z.int(),
    pending: z.int(),
    /** Of `done`: exceeded the model's limit and were truncated. */
    truncated: z.int(),
  }),
  /** Share of the texts accepted so far that are done or failed, 0..1. */
  progress: z.number(),
  tokens: z.int(),
  /** Rate of computed (not cached) texts, smoothed; null until measured. */
  rate: z.object({ texts_per_second: z.number(), tokens_per_second: z.number() }).nullable(),
  /** Null: the job is final, or the rate is not known yet. */
  eta_seconds: z.number().nullable(),
  /** Floats per vector; absent if the operation returns no vectors. */
  dimensions: z.int().optional(),
  normalize: z.boolean().optional(),
  created_at: z.int(),
  started_at: z.int().nullable(),
  finished_at: z.int().nullable(),
  expires_at: z.int(),
  /** Why `state` is `failed`; null otherwise. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  links: z.object({ self: z.string(), results: z.string() }),
});
export type JobObject = z.infer<typeof jobObjectSchema>;

/** Response of `POST /v1/jobs/{id}/retry`. */
export const retriedJobSchema = jobObjectSchema.extend({
  /** Texts being retried, including those of an earlier retry that is still running. */
  retried: z.int(),
});
export type RetriedJob = z.infer<typeof retriedJobSchema>;

export const jobListSchema = z.object({
  object: z.literal('list'),
  data: z.array(jobObjectSchema),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
});
export type JobList = z.infer<typeof jobListSchema>;

/** The result of one text: an element of a page, or a line of the NDJSON format. */
export const jobResultSchema = z.union([
  z.object({
    object: z.literal('embedding'),
    /** Position of the text in the job's input, from 0. */
    index: z.int(),
    /** Numbers, or base64 of little-endian float32. */
    embedding: z.union([z.array(z.number()), z.string()]),
    tokens: z.int(),
    truncated: z.boolean(),
  }),
  z.object({ object: z.literal('embedding'), index: z.int(), embedding: z.null(), error: textErrorSchema }),
]);
export type JobResult = z.infer<typeof jobResultSchema>;

export const jobResultsPageSchema = z.object({
  object: z.literal('list'),
  model: z.string(),
  data: z.array(jobResultSchema),
  /** Whether the job has, or will have, rows after these. */
  has_more: z.boolean(),
  /** Null when `has_more` is false. */
  next_cursor: z.string().nullable(),
});
export type JobResultsPage = z.infer<typeof jobResultsPageSchema>;
