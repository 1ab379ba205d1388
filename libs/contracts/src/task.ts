import { z } from 'zod';
import { embeddingSpecSchema } from './spec.js';

/**
 * A task is one BullMQ job: up to `EMBED_TASK_TEXTS` distinct texts of one model and one spec.
 * Its BullMQ id is `<job id>-<unit>` for a job's task and a UUID for a waiting request's.
 */
const taskBase = {
  model: z.string(),
  spec: embeddingSpecSchema,
  /** Distinct texts; the worker's answer has one row for each, in this order. */
  texts: z.array(z.string()).min(1),
  /** When the API accepted it, epoch ms: the age of the oldest waiting text comes from here. */
  acceptedAt: z.int(),
  /** Of the HTTP request that brought the texts, for the log; of the first, where several share a task. */
  requestId: z.string().optional(),
};

/** A slice of a stored job: rows go to the job's result slices. */
export const jobTaskSchema = z.object({
  kind: z.literal('job'),
  ...taskBase,
  jobId: z.string(),
  /** Number of this unit of work within the job: acknowledged once, however often it runs. */
  unit: z.int().nonnegative(),
  /** `positions[i]`: every place in the job's input where `texts[i]` stands. */
  positions: z.array(z.array(z.int().nonnegative()).min(1)),
});
export type JobTask = z.infer<typeof jobTaskSchema>;

/** Texts of one or several waiting requests of one API process: rows go to one reply. */
export const requestTaskSchema = z.object({
  kind: z.literal('request'),
  ...taskBase,
  /** The API process that waits; the reply is announced on its channel. */
  apiId: z.string(),
  /** After this epoch ms nobody waits any more: the task is dropped before inference. */
  deadlineAt: z.int(),
  /** Whether the reply is to tell where the time went. */
  timed: z.literal(true).optional(),
});
export type RequestTask = z.infer<typeof requestTaskSchema>;

export const taskSchema = z.discriminatedUnion('kind', [jobTaskSchema, requestTaskSchema]);
export type Task = z.infer<typeof taskSchema>;

/** BullMQ id of a task of a stored job. BullMQ allows no colon in its ids. */
export function jobTaskId(jobId: string, unit: number): string {
  return `${jobId}-${unit}`;
}
