import { z } from 'zod';
import { rowBytesSchema } from '../row.js';
import { laneSchema } from '../task/lane.js';
import { specSchema } from '../task/spec.js';

/**
 * States of a job. `receiving`: its upload is under way (work has begun all the same). `queued`: accepted, nothing
 * computed yet. `running`. Final: `completed` (some texts may have failed, see `failed`), `failed` (the upload broke
 * off), `cancelled`.
 */
export const jobStateSchema = z.enum(['receiving', 'queued', 'running', 'completed', 'failed', 'cancelled']);
export type JobState = z.infer<typeof jobStateSchema>;

export function isFinal(state: JobState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** A job as the store keeps it. Times are epoch ms, null until they happen. */
export const jobRecordSchema = z.object({
  id: z.string(),
  state: jobStateSchema,
  model: z.string(),
  /** Names the operation, too. */
  spec: specSchema,
  /** Of each stored row. */
  rowBytes: rowBytesSchema,
  /** What is applied to rows on the way out; read by the operation's output shape. */
  output: z.record(z.string(), z.unknown()),
  lane: laneSchema,
  /** Whose job it is; `''` where no key is asked for. */
  tenant: z.string(),
  /** Id of the API key that it came with; null where no key is asked for. */
  keyId: z.string().nullable(),
  /** Inputs accepted so far; the total once the upload ended. */
  texts: z.int().nonnegative(),
  /** Units of work that its texts were put into so far: its tasks are among the ids up to this number. */
  units: z.int().nonnegative(),
  /** Texts with a row, those from the cache included. */
  done: z.int().nonnegative(),
  /** Texts whose row was in the cache when they arrived. */
  cached: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  /** Of those failed: their inputs are kept, to be tried again. */
  retriable: z.int().nonnegative(),
  /** Tokens of all texts done. */
  tokens: z.int().nonnegative(),
  /** Texts done whose end, start or middle was cut off. */
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
