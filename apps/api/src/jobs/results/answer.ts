import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { JobRecord, ResultsFormat, ResultsQuery } from '#contracts';
import type { OutputShapes } from '../../output/output-shape.js';
import { FORMATS } from './formats/formats.js';
import { NDJSON_TYPE } from './formats/ndjson.js';
import type { JobRows } from './job-rows.js';

/** The results format that the client asked for: by `format`, else by the `Accept` header, else JSON. */
export function resultsFormat(query: ResultsQuery, accept: string | undefined): ResultsFormat {
  return query.format ?? (accept?.includes(NDJSON_TYPE) === true ? 'ndjson' : 'json');
}

/** Streams a job's results. */
export class ResultsAnswer {
  readonly #rows: JobRows;
  readonly #shapes: OutputShapes;

  constructor(rows: JobRows, shapes: OutputShapes) {
    this.#rows = rows;
    this.#shapes = shapes;
  }

  /**
   * Returns a stream with backpressure: rows are read no faster than the client reads.
   * @param signal ends an NDJSON response that follows a running job, with its reason
   * @throws ApiError 400 for a limit or dimensions out of range, 409 `job_not_finished`, 410 `results_expired`.
   */
  async of(job: JobRecord, format: ResultsFormat, query: ResultsQuery, signal: AbortSignal): Promise<StreamableFile> {
    const { cursor: from, dimensions, encoding_format: encoding, limit, normalize } = query;
    const writerOf = ({ output, rowBytes, spec }: JobRecord) =>
      this.#shapes.of(spec).writer({ rowBytes, output, query: { dimensions, normalize }, encoding });
    const { pieces, ...options } = FORMATS[format]({ job, rows: this.#rows, writerOf, from, limit, signal });
    return new StreamableFile(Readable.from(await begun(pieces)), options);
  }
}

/** Waits for the first piece, so that an error in it becomes an error response instead of a broken connection. */
async function begun<T>(pieces: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await pieces.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* pieces;
  })();
}
