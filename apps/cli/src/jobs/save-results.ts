import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { EmbedmillClient } from '#client';
import type { JobObject } from '#contracts';
import { clientOf, type Connection } from '../connection.js';
import { EmbedOutput } from '../embed/embed-output.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { whole } from '../progress.js';
import { untilSignal } from '../until-signal.js';
import { requireFormat } from '../vectors/vector-file.js';
import { jobOutcomes } from './job-outcomes.js';

/** How long to retry while the service is unavailable, ms. */
const PATIENCE_MS = 60_000;

/**
 * Waits for a job to finish, and downloads its results.
 * @param out file to write; undefined: the service's NDJSON goes to standard output
 * @returns exit code: 0; 3 when texts have no vector; 130 when a signal stopped it
 */
export async function saveResults(connection: Connection, id: string, out: string | undefined): Promise<number> {
  if (out !== undefined) requireFormat(out);
  let output: EmbedOutput | null = null;
  const job = await untilSignal(
    async (signal) => {
      const retry = { patienceMs: PATIENCE_MS, busyPatienceMs: Infinity };
      const client = clientOf(connection, { signal, retry });
      const job = await client.jobs.wait(id);
      if (out === undefined) {
        await pipeResults(client, id, signal);
        return job;
      }
      output = new EmbedOutput(out, job.dimensions ?? 0);
      await writeRows(client, job, output);
      const failed = job.counts.failed === 0 ? '' : `, ${whole(job.counts.failed)} failed: ${output.errorsName}`;
      console.error(`${out}: ${whole(job.counts.texts)} texts${failed}`);
      return job;
    },
    // A complete file has its final name by now and stays.
    async () => output?.remove(),
    () => process.exit(EXIT.interrupted),
  );
  if (job === null) return EXIT.interrupted;
  return job.counts.done < job.counts.texts ? EXIT.textsFailed : EXIT.ok;
}

/** Writes the service's lines to standard output unchanged. */
async function pipeResults(client: EmbedmillClient, id: string, signal: AbortSignal): Promise<void> {
  const lines = await client.jobs.results.stream(id, 'ndjson');
  try {
    await pipeline(Readable.fromWeb(lines as NodeReadableStream), process.stdout, { end: false });
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError(
      EXIT.unreachable,
      `the results broke off (${(error as Error).message}); ask for them again`,
      {
        cause: error,
      },
    );
  }
}

async function writeRows(client: EmbedmillClient, job: JobObject, output: EmbedOutput): Promise<void> {
  await output.open(null);
  let rows = 0;
  for await (const outcomes of jobOutcomes(client, job.id)) {
    await output.append(outcomes.map((outcome) => ({ ...outcome, id: null })));
    rows += outcomes.length;
  }
  if (rows !== job.counts.texts) {
    throw new CommandError(EXIT.error, `job ${job.id} gave ${rows} results for ${job.counts.texts} texts`);
  }
  await output.finish();
}
