import type { JobObject } from '#contracts';
import type { Client } from '../client.js';
import { progressOf } from '../progress.js';
import type { Terminal } from '../terminal.js';

/** A job from its upload until every vector was read back. */
export interface BulkRun {
  readonly job: JobObject;
  readonly seconds: number;
}

/**
 * Embeds texts as a job, with a progress bar.
 * @param onStatus called with every look at the job
 * @throws when a text fails or a vector is missing
 */
export async function runBulk(
  client: Client,
  texts: readonly string[],
  terminal: Terminal,
  onStatus: (job: JobObject) => void,
): Promise<BulkRun> {
  const progress = progressOf(texts.length, terminal);
  try {
    const began = performance.now();
    const job = await client.embed(texts, (status) => {
      onStatus(status);
      progress.show(status);
    });
    const vectors = await client.vectors(job);
    const seconds = (performance.now() - began) / 1000;
    if (vectors.length !== texts.length * (job.dimensions ?? 0)) {
      throw new Error(`${vectors.length} numbers were read back, not ${texts.length} x ${job.dimensions}`);
    }
    return { job, seconds };
  } finally {
    progress.close();
  }
}
