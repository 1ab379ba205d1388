import { z } from 'zod';
import { rowBytesSchema } from '../row.js';
import { laneSchema } from '../task/lane.js';
import { specSchema } from '../task/spec.js';

/**
 * States of a job. `receiving`: the upload is in progress (texts are already being computed). `queued`: accepted,
 * nothing computed yet. `running`. Final: `completed` (some texts may have failed, see `failed`), `failed` (the upload
 * was not completed), `cancelled`.
 */
export const jobStateSchema = z.enum(['receiving', 'queued', 'running', 'completed', 'failed', 'cancelled']);
export type JobState = z.infer<typeof jobStateSchema>;

export function isFinal(state: JobState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** A stored job. Times are epoch ms, null until they happen. */
export const jobRecordSchema = z.object({
  id: z.string(),
  state: jobStateSchema,
  model: z.string(),
  /** Includes the operation. */
  spec: specSchema,
  /** Name of the spec's prompt; null: it has none. */
  prompt: z.string().nullable(),
  /** Length of each stored row. */
  rowBytes: rowBytesSchema,
  /** Output options, applied to rows when results are read; parsed by the operation's output shape. */
  output: z.record(z.string(), z.unknown()),
  lane: laneSchema,
  /** Owner of the job; `''` when access control is off. */
  tenant: z.string(),
  /** Id of the API key that sent the job; null when access control is off. */
  keyId: z.string().nullable(),
  /** Inputs accepted so far; the total once the upload has ended. */
  texts: z.int().nonnegative(),
  /** Units of work created so far, numbered from 0: the job's task ids have units below this number. */
  units: z.int().nonnegative(),
  /** Texts with a row, including those from the cache. */
  done: z.int().nonnegative(),
  /** Texts whose row was in the cache when they arrived. */
  cached: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  /** Of `failed`: texts whose inputs are kept for a retry. */
  retriable: z.int().nonnegative(),
  /** Tokens of all `done` texts. */
  tokens: z.int().nonnegative(),
  /** Of `done`: texts that exceeded the model's limit and were truncated. */
  truncated: z.int().nonnegative(),
  /** Computed (not cached) texts per second, smoothed; 0 until measured. */
  textsPerSecond: z.number(),
  tokensPerSecond: z.number(),
  createdAt: z.int(),
  startedAt: z.int().nullable(),
  finishedAt: z.int().nullable(),
  updatedAt: z.int(),
  expiresAt: z.int(),
  /** Why the state is `failed`; null otherwise. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;
