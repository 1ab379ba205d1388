import { z } from 'zod';
import type { Operations } from '../operations/operations.js';
import { NewerFormatError } from '../record/schema-version.js';
import { specSchema } from './spec.js';

/** Format of the tasks that this version enqueues. */
export const TASK_FORMAT = 2;

/** A task is one BullMQ job: up to `TASK_LIMITS` distinct inputs of one model and one spec. */
const taskBase = {
  v: z.literal(TASK_FORMAT),
  model: z.string(),
  /** Names the operation, too. */
  spec: specSchema,
  /** Distinct; the worker's answer has one outcome for each, in this order. */
  inputs: z.array(z.unknown()).min(1),
  /** When the API accepted it, epoch ms: the age of the oldest waiting text comes from here. */
  acceptedAt: z.int(),
  /** Of the HTTP request that brought the inputs, for the log; of the first, where several share a task. */
  requestId: z.string().optional(),
};

/** An input, and every place in its job or request where it stands. */
export interface PlacedInput {
  readonly input: unknown;
  /** At least one. */
  readonly positions: number[];
}

/** A part of a stored job. Its BullMQ id is `<job id>-<unit>`. */
export const jobTaskSchema = z.object({
  kind: z.literal('job'),
  ...taskBase,
  jobId: z.string(),
  /** Number of this unit of work within the job: acknowledged once, however often it runs. */
  unit: z.int().nonnegative(),
  /** `positions[i]`: every place in the job's input where `inputs[i]` stands. */
  positions: z.array(z.array(z.int().nonnegative()).min(1)),
});
export type JobTask = z.infer<typeof jobTaskSchema>;

/** Inputs of one or several waiting requests of one API process, answered by one reply. Its BullMQ id is a UUID. */
export const requestTaskSchema = z.object({
  kind: z.literal('request'),
  ...taskBase,
  /** The API process that waits; the reply is announced on its channel. */
  apiId: z.string(),
  /** After this epoch ms nobody waits any more: the task is dropped before inference. */
  deadlineAt: z.int(),
});
export type RequestTask = z.infer<typeof requestTaskSchema>;

const taskSchema = z.discriminatedUnion('kind', [jobTaskSchema, requestTaskSchema]);
export type Task = z.infer<typeof taskSchema>;

/**
 * A task out of the queue, whichever version put it there: 0.1.0 wrote `texts`, and no `v`.
 * @throws NewerFormatError; UnknownOperationError; ZodError when it is no task
 */
export function readTask(data: unknown, operations: Operations): Task {
  const { v = 1, ...rest } = data as { v?: unknown; texts?: unknown };
  if (typeof v === 'number' && v > TASK_FORMAT) throw new NewerFormatError('a task in the queue', v);
  const task = taskSchema.parse(v === 1 ? { v: TASK_FORMAT, inputs: rest.texts, ...rest } : data);
  const { input } = operations.of(task.spec);
  for (const one of task.inputs) input.parse(one);
  return task;
}

const unitSchema = z.object({ kind: z.literal('job'), jobId: z.string(), unit: z.int().nonnegative() });

/** The unit of a job that a task in the queue is, of whatever version; null for a task of a waiting request. */
export function unitOfTask(data: unknown): { jobId: string; unit: number } | null {
  const { jobId, unit } = unitSchema.safeParse(data).data ?? {};
  return jobId === undefined || unit === undefined ? null : { jobId, unit };
}

/** The id of the HTTP request that brought a task in the queue, of whatever version. */
export function requestIdOfTask(data: unknown): string | undefined {
  return z.object({ requestId: z.string().optional() }).safeParse(data).data?.requestId;
}

/** BullMQ id of a task of a stored job. BullMQ allows no colon in its ids. */
export function jobTaskId(jobId: string, unit: number): string {
  return `${jobId}-${unit}`;
}
