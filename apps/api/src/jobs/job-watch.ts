import { isFinal, type JobRecord } from '#contracts';
import type { FinishedJobs, JobLedger } from '#store';
import type { Closing } from '../operation/closing.js';

/** Pub/sub forgets: who waits looks for himself once in a while, ms. */
const LOOK_AGAIN_MS = 5_000;

/** The watch holds requests that wait for the end of a job. */
export class JobWatch {
  readonly #jobs: JobLedger;
  readonly #finished: FinishedJobs;
  readonly #closing: AbortSignal;

  /** @param closing answers everybody who waits, with the job as it is: a shutdown cannot take as long as the longest wait */
  constructor(jobs: JobLedger, finished: FinishedJobs, { signal }: Closing) {
    this.#jobs = jobs;
    this.#finished = finished;
    this.#closing = signal;
  }

  /**
   * The job's record once it is final, else as it is after `waitMs`; null when there is no such job.
   * @throws the signal's reason when the client has gone.
   */
  async untilFinal(id: string, waitMs: number, signal: AbortSignal): Promise<JobRecord | null> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const leftMs = deadline - performance.now();
      const looked = new AbortController();
      // Listening begins before the record is read, so that no end falls between the two.
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
