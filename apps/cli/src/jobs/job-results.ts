import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal, type JobObject, jobObjectSchema, jobResultSchema } from '#contracts';
import { CommandError, EXIT } from '../exit-codes.js';
import { linesOf } from '../embed/lines.js';
import type { Rest } from '../rest.js';
import type { Fault } from '../vectors/vector-row.js';

/** Longest an answer about a job is held, s; one that has ended is answered at once. */
const LOOK_SECONDS = 1;
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Between two tries to go on with results that broke off, ms. */
const BROKEN_PAUSE_MS = 500;
/** Rows told of at once. */
const PORTION_ROWS = 512;
/** Tries in a row that bring no row. */
const BROKEN_TRIES = 10;

/** What became of one text of a job. */
export interface JobOutcome {
  /** Of the text in the job. */
  readonly index: number;
  /** `[dimensions]` or the fault. */
  readonly vector: Float32Array | Fault;
}

/** Looks at a job until it is final. */
export async function followJob(rest: Rest, id: string, onStatus: (job: JobObject) => void): Promise<JobObject> {
  for (;;) {
    const job = await rest.json(jobObjectSchema, `/v1/jobs/${encodeURIComponent(id)}?wait=${LOOK_SECONDS}`);
    onStatus(job);
    if (isFinal(job.state)) return job;
  }
}

/**
 * The outcomes of a job, in order, in portions as they come. An answer that breaks off is asked for again from there.
 * @throws RequestError 404 and 410 when they have expired
 */
export async function* jobOutcomes(rest: Rest, id: string): AsyncGenerator<JobOutcome[]> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/results?format=ndjson&encoding_format=base64`;
  let next = 0;
  for (let tries = 0; ; tries++) {
    const response = await rest.ask(`${path}&cursor=${next}`);
    try {
      for await (const portion of portionsOf(response.body as unknown as AsyncIterable<Uint8Array>)) {
        yield portion;
        next += portion.length;
        tries = 0;
      }
      return;
    } catch (error) {
      rest.signal?.throwIfAborted();
      if (error instanceof CommandError) throw error;
      if (tries === BROKEN_TRIES) {
        const reason = (error as Error).message;
        throw new CommandError(EXIT.unreachable, `the results of job ${id} break off again and again (${reason})`, {
          cause: error,
        });
      }
      await sleep(BROKEN_PAUSE_MS);
    }
  }
}

async function* portionsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JobOutcome[]> {
  let portion: JobOutcome[] = [];
  for await (const { bytes } of linesOf(chunks, 0, MAX_LINE_BYTES)) {
    portion.push(outcomeOf(bytes));
    if (portion.length < PORTION_ROWS) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

function outcomeOf(line: Buffer): JobOutcome {
  const result = jobResultSchema.parse(JSON.parse(line.toString()));
  if (result.embedding === null) return { index: result.index, vector: result.error };
  const bytes = Buffer.from(result.embedding as string, 'base64');
  // A copy, since floats must be aligned.
  return { index: result.index, vector: new Float32Array(new Uint8Array(bytes).buffer) };
}
