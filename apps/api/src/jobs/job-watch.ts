import { isFinal, type JobRecord } from '#contracts';
import type { FinishedJobs, JobLedger } from '#store';
import type { Closing } from '../operation/closing.js';

/** How often a waiting request reads the record, ms, since pub/sub messages can be lost. */
const LOOK_AGAIN_MS = 5_000;

/** Lets requests wait until a job is final. */
export class JobWatch {
  readonly #jobs: JobLedger;
  readonly #finished: FinishedJobs;
  readonly #closing: AbortSignal;

  /** @param closing ends all waits with the current record, since a shutdown cannot take as long as the longest wait */
  constructor(jobs: JobLedger, finished: FinishedJobs, { signal }: Closing) {
    this.#jobs = jobs;
    this.#finished = finished;
    this.#closing = signal;
  }

  /**
   * Returns the job's record once it is final, else its current record after `waitMs`; null when there is no such job.
   * @throws the signal's reason when the client has disconnected.
   */
  async untilFinal(id: string, waitMs: number, signal: AbortSignal): Promise<JobRecord | null> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const leftMs = deadline - performance.now();
      const looked = new AbortController();
      // Subscribe before reading the record, so that no end is missed in between.
      const news = this.#finished.wait(id, {
        timeoutMs: Math.max(0, Math.min(leftMs, LOOK_AGAIN_MS)),
        signal: AbortSignal.any([signal, looked.signal, this.#closing]),
      });
      try {
        const job = await this.#jobs.get(id);
        if (job === null || isFinal(job.state) || leftMs <= 0 || this.#closing.aborted) return job;
        await news;
        signal.throwIfAborted();
      } finally {
        looked.abort();
      }
    }
  }
}
