import { z } from 'zod';
import type { Operations } from '../operations/operations.js';
import { NewerFormatError } from '../record/schema-version.js';
import { specSchema } from './spec.js';

/** Version of the task format that this release enqueues. */
export const TASK_FORMAT = 2;

/** A task is one BullMQ job: up to `TASK_LIMITS` distinct inputs of one model and one spec. */
const taskBase = {
  v: z.literal(TASK_FORMAT),
  model: z.string(),
  /** Includes the operation. */
  spec: specSchema,
  /** Distinct; the worker returns one outcome per input, in this order. */
  inputs: z.array(z.unknown()).min(1),
  /** When the API accepted the inputs, epoch ms. The task's time in the queue is measured from here. */
  acceptedAt: z.int(),
  /** Id of the HTTP request that sent the inputs, for logs; if several requests share the task, of the first. */
  requestId: z.string().optional(),
};

/** An input and all its positions in its job or request. */
export interface PlacedInput {
  readonly input: unknown;
  /** At least one. */
  readonly positions: number[];
}

/** One unit of a stored job. Its BullMQ id is `<job id>-<unit>`. */
export const jobTaskSchema = z.object({
  kind: z.literal('job'),
  ...taskBase,
  jobId: z.string(),
  /** Number of this unit of work within the job; acknowledged once, however often the task runs. */
  unit: z.int().nonnegative(),
  /** `positions[i]`: all positions of `inputs[i]` in the job's input. */
  positions: z.array(z.array(z.int().nonnegative()).min(1)),
});
export type JobTask = z.infer<typeof jobTaskSchema>;

/** Inputs of one or several waiting requests of one API process, answered by one reply. Its BullMQ id is a UUID. */
export const requestTaskSchema = z.object({
  kind: z.literal('request'),
  ...taskBase,
  /** The API process that waits; the worker announces the reply on its channel. */
  apiId: z.string(),
  /** Epoch ms at which the requests time out; after that the worker drops the task before inference. */
  deadlineAt: z.int(),
});
export type RequestTask = z.infer<typeof requestTaskSchema>;

const taskSchema = z.discriminatedUnion('kind', [jobTaskSchema, requestTaskSchema]);
export type Task = z.infer<typeof taskSchema>;

/**
 * Parses a task from the queue, written by this or an earlier version: 0.1.0 wrote `texts`, and no `v`.
 * @throws NewerFormatError; UnknownOperationError; ZodError when the data is not a valid task
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

/** The job and unit of a task in the queue, in any format version; null for a task of a waiting request. */
export function unitOfTask(data: unknown): { jobId: string; unit: number } | null {
  const { jobId, unit } = unitSchema.safeParse(data).data ?? {};
  return jobId === undefined || unit === undefined ? null : { jobId, unit };
}

/** The id of the HTTP request that sent a task in the queue, in any format version. */
export function requestIdOfTask(data: unknown): string | undefined {
  return z.object({ requestId: z.string().optional() }).safeParse(data).data?.requestId;
}

/** BullMQ id of a task of a stored job. BullMQ does not allow colons in ids. */
export function jobTaskId(jobId: string, unit: number): string {
  return `${jobId}-${unit}`;
}
