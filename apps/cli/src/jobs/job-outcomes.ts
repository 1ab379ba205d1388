import type { EmbedmillClient } from '#client';
import type { Fault } from '../vectors/vector-row.js';

/** Outcomes handed on at once. */
const PORTION_ROWS = 512;

/** What became of one text of a job. */
export interface JobOutcome {
  /** Of the text in the job. */
  readonly index: number;
  /** `[dimensions]` or the fault. */
  readonly vector: Float32Array | Fault;
}

/** The outcomes of a job, in order, in portions as they come. */
export async function* jobOutcomes(client: EmbedmillClient, id: string): AsyncGenerator<JobOutcome[]> {
  let portion: JobOutcome[] = [];
  for await (const result of client.jobs.results.each(id)) {
    portion.push({ index: result.index, vector: result.embedding ?? result.error });
    if (portion.length < PORTION_ROWS) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}
