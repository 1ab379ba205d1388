import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';

/** Notifies waiters when a job reaches a final state. Pub/sub loses messages: waiters must check the record as well. */
export class FinishedJobs {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param subscriber of role `subscriber` */
  constructor(subscriber: RedisClient, keys: Keys) {
    const channel = keys.finishedJobs();
    subscriber.on('message', (from: string, id: string) => {
      if (from === channel) for (const wake of this.#waiting.get(id) ?? []) wake();
    });
    subscriber.subscribe(channel).catch(() => {
      // Rejects only when the connection is closed for good; until then ioredis retries.
    });
  }

  /** Resolves when the job is final, after `timeoutMs`, or when the signal aborts, whichever comes first. */
  wait(id: string, { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.set(id, waiting.add(wake));
      signal?.addEventListener('abort', wake);
      if (signal?.aborted) wake();
    });
  }
}
