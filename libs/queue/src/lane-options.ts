import type { JobsOptions, WorkerOptions } from 'bullmq';

/** Failed tasks kept for people to look at; their texts' errors stand in the job's results anyway. */
const KEPT_FAILURES = { count: 1000, age: 86_400 };
/** A task may be lost by so many workers in a row before it is taken for what kills them. */
const MAX_STALLED = 10;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 15_000;

/** Times a task is tried before its inputs are reported as failed. */
export const TASK_ATTEMPTS = 5;

/** How a task is kept and retried. */
export function taskOptions(attempts: number): JobsOptions {
  return {
    attempts,
    // By the consumer's own strategy, `retryDelayMs`: BullMQ's has no upper limit.
    backoff: { type: 'capped' },
    removeOnComplete: true,
    removeOnFail: KEPT_FAILURES,
  };
}

/**
 * Before the attempt after `attemptsMade` failed ones, ms: doubles up to a limit, and the later half of it is left to
 * chance, so that tasks that failed together do not come back together.
 */
export function retryDelayMs(attemptsMade: number): number {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** (attemptsMade - 1), LONGEST_RETRY_MS);
  return Math.round(longest * (1 - Math.random() / 2));
}

export interface ConsumerSettings {
  /** Tasks held at once. */
  readonly concurrency: number;
  /** A task's lease, ms. */
  readonly lockMs: number;
}

/** BullMQ worker options of a lane's consumer; connection and prefix come from the app. */
export function consumerOptions({
  concurrency,
  lockMs,
}: ConsumerSettings): Omit<WorkerOptions, 'connection' | 'prefix'> {
  return {
    concurrency,
    lockDuration: lockMs,
    // Twice in a lease: a lost worker's tasks are found soon after it ran out.
    stalledInterval: lockMs / 2,
    maxStalledCount: MAX_STALLED,
    // By default BullMQ waits 15 s after an error before it goes on.
    runRetryDelay: 1000,
    settings: { backoffStrategy: retryDelayMs },
  };
}
