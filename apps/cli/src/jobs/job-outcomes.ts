import type { EmbedmillClient } from '#client';
import type { Fault } from '../vectors/vector-row.js';

/** Outcomes in one portion. */
const PORTION_ROWS = 512;

/** The result of one text of a job. */
export interface JobOutcome {
  /** Index of the text in the job, from 0. */
  readonly index: number;
  /** `[dimensions]`, or why the text has no vector. */
  readonly vector: Float32Array | Fault;
}

/** Yields the outcomes of a job in input order, in portions, as soon as they arrive. */
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
