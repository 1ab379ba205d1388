import { ApiError, isFinal, MAX_PAGE_ROWS } from '#contracts';
import { jsonResult } from '../../../output/json-result.js';
import { READ_ROWS, settledPrefix } from '../job-rows.js';
import type { ResultsFormatter, ResultsRequest } from './format.js';

const PAGE_ROWS = 100;
/** Rows per piece; the event loop gets a turn between pieces. */
const TURN_ROWS = 64;

/** `format=json`: one page. */
export const page: ResultsFormatter = (request) => {
  const limit = request.limit ?? PAGE_ROWS;
  if (limit > MAX_PAGE_ROWS) throw pageTooLong(limit);
  return { type: 'application/json; charset=utf-8', pieces: pageOfResults(request, limit) };
};

/**
 * One page of results as JSON text (`JobResultsPage`), piece by piece. For a running job it contains only the rows
 * before the first missing one; `next_cursor` continues from there, even after an empty page.
 */
async function* pageOfResults({ from, job, rows, writerOf }: ResultsRequest, limit: number): AsyncGenerator<string> {
  const writer = writerOf(job);
  const to = Math.min(from + limit, job.texts);
  let next = from;
  let separator = '';
  let head = `{"object":"list","model":${JSON.stringify(job.model)},"data":[`;
  while (next < to) {
    const asked = Math.min(READ_ROWS, to - next);
    const settled = settledPrefix(await rows.read(job, next, asked));
    for (let start = 0; start < settled.length; start += TURN_ROWS) {
      let piece = head;
      head = '';
      for (const outcome of settled.slice(start, start + TURN_ROWS)) {
        piece += separator + jsonResult(next++, outcome, writer);
        separator = ',';
      }
      yield piece;
    }
    if (settled.length < asked) break;
  }
  const more = next < job.texts || !isFinal(job.state);
  yield `${head}],"has_more":${more},"next_cursor":${more ? `"${next}"` : 'null'}}`;
}

function pageTooLong(limit: number): ApiError {
  return new ApiError({
    status: 400,
    code: 'limit_too_large',
    message: `A page has at most ${MAX_PAGE_ROWS} rows, not ${limit}; format=ndjson, f32 or npy has them all.`,
    param: 'limit',
  });
}
