import { z } from 'zod';
import { jobStateSchema } from './job.js';
import { modelNameSchema } from './model-card.js';
import { textErrorSchema } from './text-result.js';

/** Query of `GET /v1/jobs/{id}`. */
export const jobQuerySchema = z.object({
  /** Hold the answer until the job is final, at most so many seconds. */
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

/** `json`: one page. `ndjson`: a line for each text. `f32`: little-endian rows and nothing else. `npy`: the same with NumPy's header. */
export const resultsFormatSchema = z.enum(['json', 'ndjson', 'f32', 'npy']);
export type ResultsFormat = z.infer<typeof resultsFormatSchema>;

/** Query of `GET /v1/jobs/{id}/results`. */
export const resultsQuerySchema = z.object({
  /** Absent: by the `Accept` header, else `json`. */
  format: resultsFormatSchema.optional(),
  /** First position to answer, as a page's `next_cursor` said. */
  cursor: z
    .string()
    .regex(/^\d{1,10}$/, 'is not a cursor that this service gave')
    .transform(Number)
    .default(0),
  /** Most rows to answer. Absent: 100 in a page, all in the other formats. */
  limit: z.coerce.number().int().min(1).optional(),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  /** Absent: as the job was made. */
  dimensions: z.coerce.number().int().min(1).optional(),
  /** Absent: as the job was made. */
  normalize: z.stringbool().optional(),
});
export type ResultsQuery = z.infer<typeof resultsQuerySchema>;

/** Most rows of one page of `GET /v1/jobs/{id}/results`. */
export const MAX_PAGE_ROWS = 1000;

/** A job as clients see it. Times are epoch seconds, null until they happen. */
export const jobObjectSchema = z.object({
  id: z.string(),
  object: z.literal('job'),
  state: jobStateSchema,
  model: z.string(),
  priority: z.enum(['high', 'normal']),
  counts: z.object({
    /** Accepted so far; the total once `state` is no longer `receiving`. */
    texts: z.int(),
    done: z.int(),
    /** Of those done: found in the cache on arrival. */
    cached: z.int(),
    failed: z.int(),
    pending: z.int(),
    /** Of those done: longer than the model's limit, and cut. */
    truncated: z.int(),
  }),
  /** 0..1 of the texts accepted so far. */
  progress: z.number(),
  tokens: z.int(),
  /** Of computed texts, smoothed; null until measured. */
  rate: z.object({ texts_per_second: z.number(), tokens_per_second: z.number() }).nullable(),
  /** Null: final, or not known yet. */
  eta_seconds: z.number().nullable(),
  dimensions: z.int(),
  normalize: z.boolean(),
  created_at: z.int(),
  started_at: z.int().nullable(),
  finished_at: z.int().nullable(),
  expires_at: z.int(),
  /** Why `state` is `failed`; null otherwise. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  links: z.object({ self: z.string(), results: z.string() }),
});
export type JobObject = z.infer<typeof jobObjectSchema>;

/** Answer of `POST /v1/jobs/{id}/retry`: the job, and how many of its texts this request tries again. */
export const retriedJobSchema = jobObjectSchema.extend({
  /** Texts put into the queue again, those included that an earlier request put there and that are not settled yet. */
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

/** One text's result: an element of a page, or a line of the NDJSON form. */
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
