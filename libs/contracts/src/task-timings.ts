import { z } from 'zod';

/** Where a worker's time with a task went, ms by its own clock; sent along with the reply when the task asks for it. */
export const taskTimingsSchema = z.object({
  /** From the task's `acceptedAt` until a worker took it; two clocks, so it may be off where machines differ. */
  queueMs: z.number(),
  /** Until the last of its texts was tokenised. */
  tokenizeMs: z.number(),
  /** From there until the last of its micro-batches ran. */
  batchMs: z.number(),
  /** Of that micro-batch on the device. */
  inferenceMs: z.number(),
});
export type TaskTimings = z.infer<typeof taskTimingsSchema>;
