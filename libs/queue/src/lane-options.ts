import type { JobsOptions, WorkerOptions } from 'bullmq';

/** Dead-lettered tasks kept for inspection; `age` in s. The errors of their texts are in the job's results anyway. */
const KEPT_FAILURES = { count: 1000, age: 86_400 };
/** How often a task may be lost by a dying worker before BullMQ fails it as the likely cause. */
const MAX_STALLED = 10;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 15_000;

/** Attempts before the inputs of a task are reported as failed. */
export const TASK_ATTEMPTS = 5;

/** BullMQ options of a task: retries and retention. */
export function taskOptions(attempts: number): JobsOptions {
  return {
    attempts,
    // `retryDelayMs`, set in `consumerOptions`: BullMQ's own exponential backoff has no upper limit.
    backoff: { type: 'capped' },
    removeOnComplete: true,
    removeOnFail: KEPT_FAILURES,
  };
}

/**
 * Delay before the next attempt after `attemptsMade` failed ones, ms: exponential with an upper limit, less a random
 * part of up to half (jitter), so that tasks that failed together are not retried together.
 */
export function retryDelayMs(attemptsMade: number): number {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** (attemptsMade - 1), LONGEST_RETRY_MS);
  return Math.round(longest * (1 - Math.random() / 2));
}

export interface ConsumerSettings {
  /** Tasks processed concurrently. */
  readonly concurrency: number;
  /** A task's lease, ms. */
  readonly lockMs: number;
}

/** BullMQ worker options of a lane's consumer, except connection and prefix, which the app sets. */
export function consumerOptions({
  concurrency,
  lockMs,
}: ConsumerSettings): Omit<WorkerOptions, 'connection' | 'prefix'> {
  return {
    concurrency,
    lockDuration: lockMs,
    // Twice per lease, so that tasks of a lost worker are found soon after their lease expires.
    stalledInterval: lockMs / 2,
    maxStalledCount: MAX_STALLED,
    // After an error BullMQ waits 15 s by default.
    runRetryDelay: 1000,
    settings: { backoffStrategy: retryDelayMs },
  };
}
