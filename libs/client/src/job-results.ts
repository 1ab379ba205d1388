import type { JobResult, JobResultsPage } from '#contracts';
import { EmbedmillConnectionError, EmbedmillError, EmbedmillProtocolError } from './errors.js';
import { floatsOf, littleEndian } from './floats.js';
import { linesOf } from './ndjson.js';
import { pause } from './pause.js';
import type { CallOptions, Query, Transport } from './transport.js';

/** What became of one text: its vector, or why it has none. */
export type TextResult =
  | {
      /** Of the text in the job's input, from 0. */
      readonly index: number;
      /** `[dimensions]`. */
      readonly embedding: Float32Array;
      readonly tokens: number;
      /** Whether the text was longer than the model's limit and was cut. */
      readonly truncated: boolean;
    }
  | {
      readonly index: number;
      readonly embedding: null;
      readonly error: { readonly code: string; readonly message: string };
    };

/** Which results, and in which shape. */
export interface ResultsOptions extends CallOptions {
  /** Position of the first text, or a page's `nextCursor`. Default: the first. */
  readonly cursor?: string | number | undefined;
  /** Most texts. Default: 100 of a page, else all. */
  readonly limit?: number | undefined;
  /** Keeps the first so many floats. Default: as the job was made. */
  readonly dimensions?: number | undefined;
  /** L2-normalises, after cutting to `dimensions`. Default: as the job was made. */
  readonly normalize?: boolean | undefined;
}

export interface ResultsPage {
  readonly data: TextResult[];
  /** Null: the job has, and will have, no results after these. */
  readonly nextCursor: string | null;
}

/**
 * `ndjson`: a line of JSON for each text, of a running job as they come. `f32`: little-endian float32 `[texts,
 * dimensions]`, NaN for a text without a vector. `npy`: the same as a NumPy file.
 */
export type StreamFormat = 'ndjson' | 'f32' | 'npy';

/** Tries in a row to go on with results that broke off, without a single one coming. */
const BROKEN_TRIES = 10;
const BROKEN_PAUSE_MS = 500;
/** The service reads a part of the results before it answers, ms. */
const HELD_MS = 270_000;

/** `GET /v1/jobs/{id}/results`, in the order of the job's input. */
export class JobResultsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * One page. Of a running job it has the texts before the first that is not settled, possibly none.
   * @throws EmbedmillApiError 404 `job_not_found`, 410 `results_expired`
   */
  async page(id: string, { signal, ...options }: ResultsOptions = {}): Promise<ResultsPage> {
    const query = { ...options, format: 'json', encoding_format: 'base64' };
    const { body } = await this.#transport.json<JobResultsPage>(
      { signal, path: pathOf(id), query },
      ({ data, object }) => object === 'list' && Array.isArray(data),
    );
    return { data: body.data.map(textResult), nextCursor: body.next_cursor };
  }

  /**
   * The results one by one; those of a running job as they come, until it has ended. A connection that breaks off is
   * taken up again where it broke.
   *
   * @example
   * for await (const { index, embedding } of client.jobs.results.each(id)) {
   *   if (embedding !== null) await index.add(index, embedding);
   * }
   *
   * @throws EmbedmillConnectionError when it breaks off again and again; EmbedmillApiError as `page`
   */
  async *each(id: string, { cursor, limit, ...options }: ResultsOptions = {}): AsyncGenerator<TextResult> {
    const first = Number(cursor ?? 0);
    const signal = this.#transport.signalOf(options);
    let next = first;
    for (let tries = 0; ; tries++) {
      const rest = limit === undefined ? undefined : limit - (next - first);
      if (rest === 0) return;
      const body = await this.#open(id, 'ndjson', { ...options, cursor: next, limit: rest }, 'base64');
      try {
        for await (const line of linesOf(body)) {
          yield this.#resultIn(line);
          next += 1;
          tries = 0;
        }
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof EmbedmillError) throw error;
        if (tries === BROKEN_TRIES) {
          throw this.#brokenOff(`results of job ${id}, again and again: ${(error as Error).message}`, error);
        }
        await pause(BROKEN_PAUSE_MS, signal);
      }
    }
  }

  /**
   * The results as the service writes them, to be piped somewhere; what breaks off is the reader's to take up again.
   *
   * @example
   * await pipeline(Readable.fromWeb(await client.jobs.results.stream(id, 'npy')), createWriteStream('vectors.npy'));
   *
   * @throws EmbedmillApiError 409 `job_not_finished` for `f32` and `npy` of a running job; else as `page`
   */
  stream(id: string, format: StreamFormat, options: ResultsOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return this.#open(id, format, options, undefined);
  }

  /**
   * All vectors of a final job: `[texts, dimensions]`, row after row; NaN for a text without a vector.
   * @throws as `stream`; EmbedmillConnectionError when it breaks off
   */
  async vectors(id: string, options: ResultsOptions = {}): Promise<Float32Array> {
    const body = await this.stream(id, 'f32', options);
    try {
      return littleEndian(new Uint8Array(await new Response(body).arrayBuffer()));
    } catch (error) {
      this.#transport.signalOf(options)?.throwIfAborted();
      throw this.#brokenOff(`vectors of job ${id}: ${(error as Error).message}`, error);
    }
  }

  #brokenOff(reason: string, cause: unknown): EmbedmillConnectionError {
    return new EmbedmillConnectionError({ url: this.#transport.baseUrl, reason, answered: true, cause });
  }

  #open(
    id: string,
    format: StreamFormat,
    { signal, ...options }: ResultsOptions,
    encoding: 'base64' | undefined,
  ): Promise<ReadableStream<Uint8Array>> {
    const query: Query = { ...options, format, encoding_format: encoding };
    return this.#transport.stream({ signal, path: pathOf(id), query, heldMs: HELD_MS });
  }

  #resultIn(line: string): TextResult {
    try {
      return textResult(JSON.parse(line) as JobResult);
    } catch (error) {
      throw new EmbedmillProtocolError(this.#transport.baseUrl, undefined, { cause: error });
    }
  }
}

/** @param result with its embedding as base64 */
function textResult(result: JobResult): TextResult {
  const { index } = result;
  if (result.embedding === null) return { index, embedding: null, error: result.error };
  return { index, embedding: floatsOf(result.embedding as string), tokens: result.tokens, truncated: result.truncated };
}

function pathOf(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}/results`;
}
