import type { EmbedmillClient } from '#client';
import type { JobObject } from '#contracts';
import { embedAsJob } from '../embed-as-job.js';
import type { Terminal } from '../terminal.js';

/** A finished job, and the time from the start of its upload until every vector was read back. */
export interface BulkRun {
  readonly job: JobObject;
  readonly seconds: number;
}

/**
 * Embeds texts as a job, with a progress bar, and reads the vectors back.
 * @param onStatus called with every status of the job, the first as soon as the job is accepted
 * @throws when a text fails or a vector is missing
 */
export async function runBulk(
  client: EmbedmillClient,
  model: string,
  texts: readonly string[],
  terminal: Terminal,
  onStatus: (job: JobObject) => void,
): Promise<BulkRun> {
  const began = performance.now();
  const job = await embedAsJob(client, model, texts, terminal, onStatus);
  const vectors = await client.jobs.results.vectors(job.id);
  const seconds = (performance.now() - began) / 1000;
  if (vectors.length !== texts.length * (job.dimensions ?? 0)) {
    throw new Error(`${vectors.length} numbers were read back, not ${texts.length} x ${job.dimensions}`);
  }
  return { job, seconds };
}
