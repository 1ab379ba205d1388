import type { JobResult, JobResultsPage } from '#contracts';
import { EmbedmillConnectionError, EmbedmillError, EmbedmillProtocolError } from './errors.js';
import { floatsOf, littleEndian } from './floats.js';
import { linesOf } from './ndjson.js';
import { pause } from './pause.js';
import type { CallOptions, Query, Transport } from './transport.js';

/** The result of one text: its vector, or why it has none. */
export type TextResult =
  | {
      /** Index of the text in the job's input, from 0. */
      readonly index: number;
      /** `[dimensions]`. */
      readonly embedding: Float32Array;
      readonly tokens: number;
      /** Whether the text was longer than the model's limit and was truncated. */
      readonly truncated: boolean;
    }
  | {
      readonly index: number;
      readonly embedding: null;
      readonly error: { readonly code: string; readonly message: string };
    };

/** Which results to read, and in which shape. */
export interface ResultsOptions extends CallOptions {
  /** Index of the first text, or a page's `nextCursor`. Default 0. */
  readonly cursor?: string | number | undefined;
  /** Maximum number of texts. Default: 100 for a page, else all. */
  readonly limit?: number | undefined;
  /** Number of leading floats to keep. Default: as the job was created. */
  readonly dimensions?: number | undefined;
  /** L2-normalises, after cutting to `dimensions`. Default: as the job was created. */
  readonly normalize?: boolean | undefined;
}

export interface ResultsPage {
  readonly data: TextResult[];
  /** Null: no results follow, now or later. */
  readonly nextCursor: string | null;
}

/**
 * `ndjson`: one JSON line per text; for a running job, as the results arrive. `f32`: little-endian float32
 * `[texts, dimensions]`, NaN for a text without a vector. `npy`: the same as a NumPy file.
 */
export type StreamFormat = 'ndjson' | 'f32' | 'npy';

/** Maximum number of attempts in a row to resume interrupted results without receiving any. */
const BROKEN_TRIES = 10;
const BROKEN_PAUSE_MS = 500;
/** Extra time until a response begins, ms: the service first reads a part of the results. */
const HELD_MS = 270_000;

/** `GET /v1/jobs/{id}/results`, in the order of the job's input. */
export class JobResultsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Reads one page. For a running job, it has only the texts before the first unfinished one, possibly none.
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
   * Yields the results one by one; for a running job, as they arrive, until the job has ended. Resumes where a broken
   * connection stopped.
   *
   * @example
   * for await (const { index, embedding } of client.jobs.results.each(id)) {
   *   if (embedding !== null) await index.add(index, embedding);
   * }
   *
   * @throws EmbedmillConnectionError when the connection breaks again and again; EmbedmillApiError as `page`
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
   * The results as the service sends them, for piping. The caller must handle a connection that breaks.
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
   * All vectors of a final job: `[texts, dimensions]`, row-major; NaN for a text without a vector.
   * @throws as `stream`; EmbedmillConnectionError when the connection breaks
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
