import { ApiError, isFinal, type JobRecord, type Outcome, SLICE_ROWS } from '#contracts';
import type { JobLedger, ResultStore } from '#store';

/** Rows per read: 4 slices, about 400 KB at 384 dimensions. */
export const READ_ROWS = 4 * SLICE_ROWS;

/** Reads the outcomes of a job's inputs: rows from the result store, errors from the ledger. */
export class JobRows {
  readonly #results: ResultStore;
  readonly #jobs: JobLedger;

  constructor(results: ResultStore, jobs: JobLedger) {
    this.#results = results;
    this.#jobs = jobs;
  }

  /**
   * Outcomes of the inputs `[from, from + count)`; null only for inputs of a job that is not final. Inputs that a
   * cancelled or failed job did not compute get the error `cancelled`.
   * @param count positions after the job's last one are left out.
   * @throws ApiError 410 `results_expired` when a completed job's rows are gone.
   */
  async read(job: JobRecord, from: number, count: number): Promise<(Outcome | null)[]> {
    const to = Math.min(from + count, job.texts);
    if (to <= from) return [];
    // Without rows at the time of the record, the job may have been replanned since, and its rows be of another length.
    const rows = job.done === 0 ? nulls(to - from) : await this.#results.read(job, from, to - from);
    const missing = rows.flatMap((row, n) => (row === null ? [from + n] : []));
    const errors = await this.#jobs.errors(job.id, missing);
    return rows.map((row, n) => {
      const outcome = row ?? errors.get(from + n);
      if (outcome !== undefined) return outcome;
      if (!isFinal(job.state)) return null;
      if (job.state === 'completed') throw resultsExpired(job.id);
      return { code: 'cancelled', message: `The job was ${job.state} before this text was computed.` };
    });
  }

  /** The job's current record; null when there is none. */
  record(id: string): Promise<JobRecord | null> {
    return this.#jobs.get(id);
  }
}

/** The outcomes before the first missing one. */
export function settledPrefix(outcomes: readonly (Outcome | null)[]): Outcome[] {
  const end = outcomes.indexOf(null);
  return (end < 0 ? outcomes : outcomes.slice(0, end)) as Outcome[];
}

function nulls(count: number): null[] {
  return Array.from({ length: count }, () => null);
}

function resultsExpired(id: string): ApiError {
  return new ApiError({
    status: 410,
    code: 'results_expired',
    message: `The results of job ${id} have expired. Send its texts again: what is still in the cache costs nothing.`,
  });
}
