import { type EmbedmillClient, requireEveryVector } from '#client';
import type { JobObject } from '#contracts';
import { progressOf } from './progress.js';
import type { Terminal } from './terminal.js';

/** Maximum time between two statuses of a job, s; the service reports the end of a job at once. */
const LOOK_SECONDS = 0.2;

/**
 * Embeds texts as one job, with a progress bar.
 * @param onStatus called with every status of the job, the first as soon as the job is accepted
 * @throws when the job does not complete, or a text failed
 */
export async function embedAsJob(
  client: EmbedmillClient,
  model: string,
  texts: readonly string[],
  terminal: Terminal,
  onStatus: (job: JobObject) => void = () => {},
): Promise<JobObject> {
  const progress = progressOf(texts.length, terminal);
  const show = (job: JobObject) => {
    onStatus(job);
    progress.show(job);
  };
  try {
    const accepted = await client.jobs.create({ model, input: texts });
    show(accepted);
    return requireEveryVector(await client.jobs.wait(accepted, { onStatus: show, lookSeconds: LOOK_SECONDS }));
  } finally {
    progress.close();
  }
}
