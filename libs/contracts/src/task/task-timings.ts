/** Where a worker's time with a task went, ms by its own clock. */
export interface TaskTimings {
  /** From the task's `acceptedAt` until a worker took it; two clocks, so it may be off where machines differ. */
  readonly queueMs: number;
  /** Until the last of its texts was tokenised. */
  readonly tokenizeMs: number;
  /** From there until the last of its micro-batches ran. */
  readonly batchMs: number;
  /** Of that micro-batch on the device. */
  readonly inferenceMs: number;
}
