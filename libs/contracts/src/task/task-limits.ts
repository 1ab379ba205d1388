/** Limits of one task. Measured: docs/decisions/0001-tasks-of-many-texts.md. */
export interface TaskLimits {
  readonly maxInputs: number;
  /** Sum over the inputs, UTF-8; a longer input gets a task of its own. */
  readonly maxBytes: number;
}

export const TASK_LIMITS: TaskLimits = { maxInputs: 64, maxBytes: 256 * 1024 };
