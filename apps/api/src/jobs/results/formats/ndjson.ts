import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from '#contracts';
import { jsonResult } from '../../../output/json-result.js';
import { requireJob } from '../../job-view.js';
import { READ_ROWS, settledPrefix } from '../job-rows.js';
import type { ResultsFormatter, ResultsRequest } from './format.js';

export const NDJSON_TYPE = 'application/x-ndjson';
/** Rows per piece. */
const TURN_ROWS = 64;
/** Delay before the next read, ms: doubles from `first` to `longest` while there are no new rows. */
const LOOK_AGAIN_MS = { first: 50, longest: 1000 };

/** `format=ndjson`: one line per input; follows a job that is not final. */
export const ndjson: ResultsFormatter = (request) => ({
  type: `${NDJSON_TYPE}; charset=utf-8`,
  pieces: ndjsonResults(request),
});

/**
 * One JSON line per input, in input order. For a job that is not final, writes the lines that are available and
 * continues as rows arrive, until the job is final and all lines are written.
 */
async function* ndjsonResults({
  from,
  job: firstRecord,
  limit = Number.POSITIVE_INFINITY,
  rows,
  signal,
  writerOf,
}: ResultsRequest): AsyncGenerator<string> {
  const end = from + limit;
  let job = firstRecord;
  let writer = writerOf(job);
  let next = from;
  let pauseMs = LOOK_AGAIN_MS.first;
  // An empty piece sends the response head at once: some clients time out before the first line is available.
  if (!isFinal(job.state)) yield '';
  for (;;) {
    const settled = settledPrefix(await rows.read(job, next, Math.min(READ_ROWS, end - next)));
    for (let start = 0; start < settled.length; start += TURN_ROWS) {
      let piece = '';
      for (const outcome of settled.slice(start, start + TURN_ROWS)) {
        piece += `${jsonResult(next++, outcome, writer)}\n`;
      }
      yield piece;
    }
    if (next >= end || (next >= job.texts && isFinal(job.state))) return;
    if (settled.length === 0) {
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      pauseMs = Math.min(pauseMs * 2, LOOK_AGAIN_MS.longest);
    } else pauseMs = LOOK_AGAIN_MS.first;
    // A final record does not change any more, and may expire while a slow client reads.
    if (isFinal(job.state)) continue;
    const hadRows = job.done > 0;
    job = requireJob(await rows.record(job.id), job.id);
    // A job without rows may have been replanned for rows of another length.
    if (!hadRows) writer = writerOf(job);
  }
}
