import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { JobObject } from '#contracts';
import type { Connection } from '../connection.js';
import { EmbedOutput } from '../embed/embed-output.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { whole } from '../progress.js';
import { Rest } from '../rest.js';
import { untilSignal } from '../until-signal.js';
import { requireFormat } from '../vectors/vector-file.js';
import { followJob, jobOutcomes } from './job-results.js';

/** How long the service may be away meanwhile, ms. */
const PATIENCE_MS = 60_000;

/**
 * Downloads what came out of a job.
 * @param out absent: NDJSON, as the service writes it, to standard output
 * @returns an exit code: 0, 3 when texts failed, 130 when a signal stopped it
 */
export async function saveResults(connection: Connection, id: string, out: string | undefined): Promise<number> {
  if (out !== undefined) requireFormat(out);
  let output: EmbedOutput | null = null;
  const job = await untilSignal(
    async (signal) => {
      const rest = new Rest(connection, { signal, patienceMs: PATIENCE_MS });
      const job = await followJob(rest, id, () => {});
      if (out === undefined) {
        await pipeResults(rest, id);
        return job;
      }
      output = new EmbedOutput(out, job.dimensions ?? 0);
      await writeRows(rest, job, output);
      const failed = job.counts.failed === 0 ? '' : `, ${whole(job.counts.failed)} failed: ${output.errorsName}`;
      console.error(`${out}: ${whole(job.counts.texts)} texts${failed}`);
      return job;
    },
    // What is complete has its name already.
    async () => output?.remove(),
    () => process.exit(EXIT.interrupted),
  );
  if (job === null) return EXIT.interrupted;
  return job.counts.done < job.counts.texts ? EXIT.textsFailed : EXIT.ok;
}

/** The lines of the service as they are. */
async function pipeResults(rest: Rest, id: string): Promise<void> {
  const response = await rest.ask(`/v1/jobs/${encodeURIComponent(id)}/results?format=ndjson`);
  try {
    await pipeline(Readable.fromWeb(response.body!), process.stdout, { end: false });
  } catch (error) {
    rest.signal?.throwIfAborted();
    throw new CommandError(
      EXIT.unreachable,
      `the results broke off (${(error as Error).message}); ask for them again`,
      {
        cause: error,
      },
    );
  }
}

async function writeRows(rest: Rest, job: JobObject, output: EmbedOutput): Promise<void> {
  await output.open(null);
  let rows = 0;
  for await (const outcomes of jobOutcomes(rest, job.id)) {
    await output.append(outcomes.map((outcome) => ({ ...outcome, id: null })));
    rows += outcomes.length;
  }
  if (rows !== job.counts.texts) {
    throw new CommandError(EXIT.error, `job ${job.id} gave ${rows} results for ${job.counts.texts} texts`);
  }
  await output.finish();
}
