/** Where the time of a task went, ms by the worker's clock. */
export interface TaskTimings {
  /** From the task's `acceptedAt` until a worker took it. Compares the clocks of two machines, so it may be inexact. */
  readonly queueMs: number;
  /** From the start of the computation until the last of the task's texts was tokenised. */
  readonly tokenizeMs: number;
  /** From then until the task's last micro-batch was done, less `inferenceMs`. */
  readonly batchMs: number;
  /** Device time of that micro-batch. */
  readonly inferenceMs: number;
}
