/** What one task may hold. Measured: docs/decisions/0001-tasks-of-many-texts.md. */
export interface TaskLimits {
  readonly maxInputs: number;
  /** UTF-8; a longer input is a task of its own. */
  readonly maxBytes: number;
}

export const TASK_LIMITS: TaskLimits = { maxInputs: 64, maxBytes: 256 * 1024 };
